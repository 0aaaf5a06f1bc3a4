"""Starting what is measured, and reading from /proc what it used."""

import os
import re
import resource
import signal
import socket
import subprocess
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """Of a process and its descendants, and of those children of it that have ended."""
    total = 0
    for process in _tree(pid):
        fields = _stat(process)
        if fields:
            total += sum(map(int, fields[11:13])) + (sum(map(int, fields[13:15])) if process == pid else 0)
    return total / TICK


def rss_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


def _tree(pid):
    children = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        fields = _stat(process)
        if fields:
            children.setdefault(int(fields[1]), []).append(int(process))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return None  # It has just ended.


class Machine:
    """What the whole machine did since this was made, in cores."""

    def __init__(self):
        self.started, self.busy, self.stolen, self.own = time.time(), *self._now()

    @staticmethod
    def _now():
        with open("/proc/stat") as stat:
            fields = list(map(int, stat.readline().split()[1:9]))
        ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in ours)
        return (sum(fields) - fields[3] - fields[4]) / TICK, fields[7] / TICK, own

    def noise(self, measured_seconds):
        """(cores others used, cores the hypervisor took), `measured_seconds` and our own tools not counted."""
        wall = time.time() - self.started
        busy, stolen, own = self._now()
        stolen -= self.stolen
        others = busy - self.busy - stolen - (own - self.own) - measured_seconds
        return max(0, others / wall), stolen / wall


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process of ours with an HTTP port that tells when it is ready."""

    def __init__(self, command, environment, port, log, folder):
        self.name = os.path.basename(command[0])
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                command, env=clean(environment, folder), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )
        self.pid, self.port, self.log = self.process.pid, port, log

    def wait_until_ready(self, seconds=60):
        deadline = time.time() + seconds
        while time.time() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2).close()
                return self
            except OSError:  # Refused, or 503: not yet.
                time.sleep(0.05)
        self.stop()
        with open(self.log) as log:
            raise SystemExit(f"{self.name} did not get ready. The end of its log:\n{log.read()[-2000:]}")

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def clean(environment, folder):
    """Nothing of the caller's own environment changes what is measured."""
    return {"PATH": os.environ["PATH"], "HOME": folder} | environment


def raise_file_limit():
    """For this process and what it starts: a socket is a file."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
