"""What is put under load: Martlet, and what stands for the same work without a server."""

import concurrent.futures
import ctypes
import glob
import json
import os
import re
import shlex
import subprocess
import time

from harness.dataset import PASSWORD, argon2id, psql, sodium
from harness.processes import Machine, cpu_seconds

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OPERATIONS = ["GET post", "home timeline", "POST post", "login"]
CONNECTIONS = 64


class Usage:
    """CPU of named processes from here on."""

    def __init__(self, processes):
        self.processes = processes
        self.before = {name: cpu_seconds(pid) for name, pid in processes.items()}
        self.machine = Machine()

    def until_now(self, requests):
        seconds = {name: cpu_seconds(pid) - self.before[name] for name, pid in self.processes.items()}
        others, stolen = self.machine.noise(sum(seconds.values()))
        cpu = {f"{name}_us": spent / max(1, requests) * 1e6 for name, spent in seconds.items()}
        return cpu | {"others_cores": others, "stolen_cores": stolen}


class Martlet:
    """RestServer and WebSocketServer over PostgreSQL and RabbitMQ, loaded by wrk."""

    name = "Martlet"
    operations = OPERATIONS

    def __init__(self, rest_port, database_url, files, processes):
        self.url, self.database_url = f"http://127.0.0.1:{rest_port}", database_url
        self.files, self.processes = files, processes

    def run(self, operation, seconds):
        usage = Usage(self.processes)
        result = self._wrk(operation, seconds)
        if operation == "POST post":
            result["drain_seconds"] = self._await_empty_outbox()
        return result | usage.until_now(result["requests"])

    def _wrk(self, operation, seconds):
        text = subprocess.run(
            ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency",
             "-s", f"{HERE}/load/requests.lua", self.url],
            env=os.environ | self.files | {"BENCH_OPERATION": operation}, check=True, capture_output=True, text=True,
        ).stdout
        sent = int(re.search(r"(\d+) requests in", text)[1])
        refused = int((re.search(r"Non-2xx or 3xx responses: (\d+)", text) or [0, 0])[1])
        broken = sum(map(int, re.findall(r"\d+", (re.search(r"Socket errors: (.*)", text) or ["", ""])[1])))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        return {
            "requests": sent - refused, "rate": rate * (sent - refused) / max(1, sent), "failed": refused + broken,
            "p50": _milliseconds(re.search(r"(?m)^\s+50%\s+(\S+)", text)[1]),
            "p99": _milliseconds(re.search(r"(?m)^\s+99%\s+(\S+)", text)[1]),
        }

    def _await_empty_outbox(self):
        """What posting leaves to the relay is posting's cost too. Gives how long the relay was behind."""
        started = time.time()
        while time.time() < started + 60:
            done = psql(
                self.database_url,
                "SELECT published = position AND NOT EXISTS (SELECT 1 FROM events WHERE events.position IS NULL)"
                " FROM event_head",
            )
            if done == "t":
                return time.time() - started
            time.sleep(0.1)
        raise SystemExit("events are still unpublished a minute after the last post")


class Pgbench:
    """The statements of the product's stores, sent by pgbench: the database's own limit."""

    name = "pgbench"
    operations = OPERATIONS
    # More only makes them wait for the cores.
    CLIENTS = 16

    def __init__(self, database_url, dataset, processes, folder):
        self.database_url, self.processes, self.folder = database_url, processes, folder
        self.variables = {
            "users": dataset.size.users, "posts": dataset.size.posts, "first_user_ms": dataset.first_user_ms,
            "user_step_ms": dataset.user_step_ms, "first_post_ms": dataset.first_post_ms,
            "post_step_ms": dataset.post_step_ms, "count": 0,
        }

    def run(self, operation, seconds):
        for log in glob.glob(f"{self.folder}/pgbench*"):
            os.unlink(log)
        start_ms = int(time.time() * 1000) - 1_704_067_200_000
        defines = [f"-D{name}={value}" for name, value in (self.variables | {"start_ms": start_ms}).items()]
        usage = Usage(self.processes)
        text = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-c", str(self.CLIENTS), "-j", "2", "-T", str(seconds), "-l",
             "--log-prefix", f"{self.folder}/pgbench", "-f", f"{HERE}/load/pgbench/{operation}.sql", *defines,
             self.database_url],
            check=True, capture_output=True, text=True,
        ).stdout
        cpu = usage.until_now(int(re.search(r"actually processed: (\d+)", text)[1]))
        times = []
        for path in glob.glob(f"{self.folder}/pgbench*"):
            with open(path) as log:
                times += [int(line.split()[2]) / 1000 for line in log]
        times.sort()
        return {
            "requests": len(times), "rate": float(re.search(r"tps = ([\d.]+)", text)[1]), "failed": 0,
            "p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)],
        } | cpu


class Argon2id:
    """libsodium's check of the password on every core: what login cannot be faster than."""

    name = "Argon2id alone"
    operations = ["login"]

    def run(self, _, seconds):
        library, hashed, password = sodium(), argon2id(PASSWORD).encode(), PASSWORD.encode()
        deadline, threads = time.time() + seconds, len(os.sched_getaffinity(0))

        def verify(_):
            times = []
            while time.time() < deadline:
                started = time.time()
                library.crypto_pwhash_str_verify(hashed, password, ctypes.c_ulonglong(len(password)))
                times.append((time.time() - started) * 1000)
            return times

        usage, spent = Usage({}), time.process_time()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:  # ctypes lets go of Python's lock.
            times = sorted(t for part in pool.map(verify, range(threads)) for t in part)
        return {
            "requests": len(times), "rate": len(times) / seconds, "failed": 0, "p50": times[len(times) // 2],
            "p99": times[int(len(times) * 0.99)], "server_us": (time.process_time() - spent) / len(times) * 1e6,
        } | usage.until_now(len(times))


class Peer:
    """Another server, measured by a command of its own: `COMMAND OPERATION SECONDS CONNECTIONS` prints, as its last
    line, the object that `Martlet.run` gives."""

    operations = OPERATIONS

    def __init__(self, name, command):
        self.name, self.command = name, shlex.split(command)

    def run(self, operation, seconds):
        machine = Machine()
        text = subprocess.run(
            [*self.command, operation, str(seconds), str(CONNECTIONS)], check=True, capture_output=True, text=True
        ).stdout
        result = json.loads(text.splitlines()[-1])
        used = sum(value for key, value in result.items() if key.endswith("_us")) * result["requests"] / 1e6
        others, stolen = machine.noise(used)
        return result | {"others_cores": others, "stolen_cores": stolen}


def _milliseconds(text):
    value, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]
