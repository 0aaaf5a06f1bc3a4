"""Measures Martlet's servers over PostgreSQL and RabbitMQ on this machine. Called by run.sh; see README.md."""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import live, report
from harness.dataset import FULL, QUICK, Dataset, psql
from harness.processes import Server, clean, free_port, raise_file_limit, rss_bytes
from harness.subjects import HERE, OPERATIONS, Argon2id, Martlet, Peer, Pgbench
from harness.tokens import Signer

# Long enough that a second of noise moves a round by a tenth, short enough that both of a pair see the same noise.
ROUND_SECONDS, ROUNDS = 8, 5
IDLE_CONNECTIONS, FOLLOWERS, POSTS_A_SECOND = 5_000, 1_000, 100


def main():
    options = parse()
    raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that what was started is stopped.
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        results = measure(options, folder, stack)
    print(report.requests_table(results["operations"]))
    if "live" in results:
        print()
        print(report.live_table(results["live"]["idle"], results["live"]["fan_out"], results["all_in_one_idle_mib"]))
    print()
    print(results["remark"])
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)


def parse():
    parser = argparse.ArgumentParser(prog="Benchmarks/run.sh")
    parser.add_argument("--quick", action="store_true", help="little data, one short round: to see that it works")
    parser.add_argument("--json", metavar="FILE", help="write everything, each round included, to FILE")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of a round")
    parser.add_argument("--only", metavar="NAME,…", help=f"of {', '.join(OPERATIONS)}, live")
    parser.add_argument(
        "--peer", metavar="NAME=COMMAND", action="append", default=[],
        help="another server to alternate with; what COMMAND must do is in README.md",
    )
    parser.add_argument("--hold", action="store_true", help="keep the servers running at the end, for a profiler")
    parser.add_argument("--binaries", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--live-load", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else ROUNDS)
    options.seconds = options.seconds or (2 if options.quick else ROUND_SECONDS)
    options.only = options.only.split(",") if options.only else [*OPERATIONS, "live"]
    unknown = set(options.only) - {*OPERATIONS, "live"}
    if unknown:
        parser.error(f"--only does not know {', '.join(unknown)}")
    return options


def measure(options, folder, stack):
    started = time.time()
    say("Starting PostgreSQL and RabbitMQ")
    urls = services(folder, stack)
    database_url = urls["POSTGRES_URL"].rsplit("/", 1)[0] + "/martlet"
    postgres, rabbitmq = pid(folder, "postgres"), pid(folder, "rabbitmq")
    environment = {
        "PG_DATABASE_URL": database_url, "RABBITMQ_URL": urls["RABBITMQ_URL"],
        "JWT_SECRET_KEY": secrets.token_hex(32), "SERVER_ADDRESS": "127.0.0.1",
        "SERVER_PORT": str(free_port()), "WEBSOCKET_PORT": str(free_port()),
    }
    psql(urls["POSTGRES_URL"], "CREATE DATABASE martlet")
    subprocess.run(
        [f"{options.binaries}/martlet", "migrate", "up"], env=clean(environment, folder), cwd=folder, check=True,
        stdout=sys.stderr,
    )
    say("Filling the database")
    dataset = Dataset(QUICK if options.quick else FULL)
    dataset.load(database_url)
    # Apart, so that the relay never meets pgbench's events.
    psql(urls["POSTGRES_URL"], "CREATE DATABASE pgbench TEMPLATE martlet STRATEGY file_copy")
    pgbench_url = urls["POSTGRES_URL"].rsplit("/", 1)[0] + "/pgbench"
    for url in (database_url, pgbench_url):
        warm(url)
    files, signer = write_files(dataset, environment["JWT_SECRET_KEY"], folder)
    results = {"all_in_one_idle_mib": all_in_one_idle(options, folder)}

    say("Starting RestServer and WebSocketServer")
    rest, feed = start_servers(options, environment, folder, stack)
    processes = {"server": rest.pid, "live": feed.pid, "database": postgres, "broker": rabbitmq}
    if "live" in options.only:
        results["live"] = {"idle": measure_idle(options, feed, dataset, signer, folder)}

    subjects = [
        Martlet(rest.port, database_url, files, processes),
        Pgbench(pgbench_url, dataset, {"database": postgres}, folder),
        Argon2id(),
        *(Peer(*peer.split("=", 1)) for peer in options.peer),
    ]
    say("Warming up")
    subjects[0].run("GET post", options.seconds)
    rounds_of = {op: alternate(op, subjects, options, urls) for op in OPERATIONS if op in options.only}
    results["operations"] = {op: report.summary(rounds) for op, rounds in rounds_of.items()}
    results["rounds"] = rounds_of
    noise = [r for rounds in rounds_of.values() for series in rounds.values() for r in series]
    if "live" in options.only:
        fan_out, rounds = measure_fan_out(options, rest, feed, dataset, signer, processes, folder)
        results["live"] |= {"fan_out": fan_out, "fan_out_rounds": rounds}
        noise += rounds
    results["remark"] = remark(options, dataset, noise, time.time() - started)
    if options.hold:
        say(f"RestServer {rest.pid} on {rest.port}, WebSocketServer {feed.pid} on {feed.port}, {database_url}")
        say(f"Environment of load/requests.lua: {' '.join(f'{k}={v}' for k, v in files.items())}")
        say("Enter ends it")
        sys.stdin.readline()
    return results


@contextlib.contextmanager
def scratch_folder():
    """On the disk that builds go to: /tmp may be memory, and then commits are free."""
    base = os.path.join(os.path.dirname(HERE), ".build")
    os.makedirs(base, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="bench-", dir=base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def services(folder, stack):
    script = f"{HERE}/services.sh"
    stack.callback(subprocess.run, [script, "stop", folder], check=False)
    text = subprocess.run([script, "start", folder], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def pid(folder, name):
    with open(f"{folder}/{name}.pid") as file:
        return int(file.read().split()[0])


def warm(url):
    psql(url, "CREATE EXTENSION IF NOT EXISTS pg_prewarm")
    psql(
        url,
        "SELECT sum(pg_prewarm(c.oid)) FROM pg_class c"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')",
    )
    psql(url, "DROP EXTENSION pg_prewarm")


def write_files(dataset, secret, folder):
    signer = Signer(secret)
    files = {"BENCH_TOKENS": f"{folder}/tokens", "BENCH_POSTS": f"{folder}/posts"}
    with open(files["BENCH_TOKENS"], "w") as file:
        file.writelines(signer.token(dataset, n) + "\n" for n in range(dataset.size.users))
    with open(files["BENCH_POSTS"], "w") as file:
        file.writelines(f"{dataset.post_id(n)}\n" for n in range(dataset.size.posts))
    return files, signer


def all_in_one_idle(options, folder):
    say("Starting the all-in-one server for its idle memory")
    home = f"{folder}/all-in-one"
    os.mkdir(home)
    ports = {"SERVER_PORT": str(free_port()), "WEBSOCKET_PORT": str(free_port()), "SERVER_ADDRESS": "127.0.0.1"}
    command = [f"{options.binaries}/martlet", "serve"]
    server = Server(command, ports, int(ports["SERVER_PORT"]), f"{folder}/all-in-one.log", home)
    try:
        server.wait_until_ready()
        time.sleep(3)
        return rss_bytes(server.pid) / 2**20
    finally:
        server.stop()


def start_servers(options, environment, folder, stack):
    servers = []
    for name, key in (("RestServer", "SERVER_PORT"), ("WebSocketServer", "WEBSOCKET_PORT")):
        command = [f"{options.binaries}/{name}"]
        server = Server(command, environment, int(environment[key]), f"{folder}/{name}.log", folder)
        stack.callback(server.stop)
        servers.append(server)
    return [server.wait_until_ready() for server in servers]


def alternate(operation, subjects, options, urls):
    """One round of each in turn, again and again: what happens on the machine meanwhile meets all of them."""
    rounds_of = {subject.name: [] for subject in subjects if operation in subject.operations}
    psql(urls["POSTGRES_URL"], "CHECKPOINT")
    for n in range(options.rounds):
        for subject in subjects:
            if subject.name in rounds_of:
                result = subject.run(operation, options.seconds)
                rounds_of[subject.name].append(result)
                say(
                    f"{operation}, round {n + 1}, {subject.name}: {result['rate']:,.0f}/s,"
                    f" others used {result['others_cores']:.2f} cores"
                )
    return rounds_of


def measure_idle(options, feed, dataset, signer, folder):
    connections = 200 if options.quick else IDLE_CONNECTIONS
    say(f"Opening {connections} live connections")
    tokens_file = f"{folder}/idle-tokens"
    with open(tokens_file, "w") as file:
        file.writelines(signer.token(dataset, n) + "\n" for n in range(connections))
    return live.idle_connections(options.live_load, feed, tokens_file, connections)


def measure_fan_out(options, rest, feed, dataset, signer, processes, folder):
    author = dataset.most_followed()
    followers = dataset.followers(author)[: 100 if options.quick else FOLLOWERS]
    tokens_file = f"{folder}/follower-tokens"
    with open(tokens_file, "w") as file:
        file.writelines(signer.token(dataset, n) + "\n" for n in followers)
    say(f"Posting {POSTS_A_SECOND} times a second to {len(followers)} followers")
    fan_out = live.FanOut(
        options.live_load, feed.port, tokens_file, rest.port, signer.token(dataset, author), POSTS_A_SECOND,
        options.seconds, processes,
    )
    rounds = [fan_out.run() for _ in range(options.rounds)]
    fan_out.stop()
    facts = {"followers": len(followers), "rate": POSTS_A_SECOND, "posting_seconds": options.seconds}
    return report.medians(rounds) | facts, rounds


def remark(options, dataset, noise, seconds):
    follows = sum(map(len, dataset.followees))
    behind = [r["drain_seconds"] for r in noise if "drain_seconds" in r]
    others, stolen = ([r[key] for r in noise] for key in ("others_cores", "stolen_cores"))
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores; {dataset.size.users:,} users, {follows:,} follows,"
        f" {dataset.size.posts:,} posts; medians of {options.rounds} rounds of {options.seconds} s, wrk with 64"
        f" connections, pgbench with {Pgbench.CLIENTS}.\nCPU columns are µs per request. Meanwhile others used"
        f" {min(others):.2f}–{max(others):.2f} cores and the hypervisor took {min(stolen):.2f}–{max(stolen):.2f}."
        f" The whole took {seconds / 60:.0f} minutes."
        + (f"\nAfter a round of POST post the relay was up to {max(behind):.1f} s behind." if behind else "")
    )


def say(line):
    print(f"==> {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
