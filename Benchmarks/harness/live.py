"""The live feed: memory of connections that only listen, and the way from a POST to the frame."""

import json
import subprocess
import time

from harness.processes import rss_bytes
from harness.subjects import Usage


class LiveLoad:
    """The Swift client. Its every step is a line each way."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("LiveLoad failed; what it said is above.")
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        if self.process.wait(30):
            raise SystemExit("LiveLoad failed; what it said is above.")


def idle_connections(binary, server, tokens_file, connections):
    """What `connections` of different users make the server's memory grow by, each."""
    before = _settled_rss(server.pid)
    load = LiveLoad([binary, "idle", str(server.port), tokens_file])
    after = _settled_rss(server.pid)
    load.stop()
    return {
        "connections": connections, "rss_before_mib": before / 2**20, "rss_after_mib": after / 2**20,
        "bytes_each": (after - before) / connections,
    }


def _settled_rss(pid):
    """Once it has not grown for a second."""
    last = -1
    for _ in range(20):
        now = rss_bytes(pid)
        if now <= last:
            return now
        last = now
        time.sleep(1)
    return last


class FanOut:
    """One author posts at a fixed rate; followers' connections wait for the frames."""

    def __init__(self, binary, live_port, tokens_file, rest_port, author_token, rate, seconds, processes):
        self.processes = processes
        self.load = LiveLoad(
            [binary, "fanout", str(live_port), tokens_file, str(rest_port), author_token, str(rate), str(seconds)]
        )

    def run(self):
        usage = Usage(self.processes | {"client": self.load.process.pid})
        result = json.loads(self.load.ask("go"))
        return result | usage.until_now(result["deliveries"])

    def stop(self):
        self.load.stop()
