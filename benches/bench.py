#!/usr/bin/env python3
"""`just bench`: Keyward against the bare web server and a peer, and against the targets.

Needs Linux, two cores, wrk and Node.js with npm; --pg needs what scripts/postgres needs.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import replace

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from harness import report  # noqa: E402
from harness.load import grant, measure, one_by_one, wrk  # noqa: E402
from harness.place import ROOT, working_place  # noqa: E402
from harness.process import BenchError, PeakRss, fsync_ms, percentile, rss_mb  # noqa: E402
from harness.servers import Hello, Keyward, KeywardPostgres, OidcProvider  # noqa: E402

SERVERS = {kind.name: kind for kind in (Hello, Keyward, KeywardPostgres, OidcProvider)}
LIST_ROWS = 100_000
ACTIVE = 10_000


def parse():
    parser = argparse.ArgumentParser(prog="just bench", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all servers (default 3)")
    parser.add_argument("--seconds", type=int, default=8, help="seconds of each measurement (default 8)")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--pg", action="store_true", help="Keyward on PostgreSQL too")
    parser.add_argument("--million", action="store_true", help="growth up to 1,000,000 clients instead of 100,000")
    parser.add_argument("--no-growth", action="store_true", help="leave out everything beyond ten clients")
    parser.add_argument("--only", help=f"some of: {', '.join(SERVERS)}")
    parser.add_argument("--profile", default="dist", help="the cargo profile (default dist, as released)")
    parser.add_argument("--no-build", action="store_true", help="take the binaries that are there")
    parser.add_argument("--dir", help="a folder for the databases, on the disk to be measured (default target/)")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [n for n in SERVERS if options.pg or n != "keyward-pg"]
    if unknown := [name for name in names if name not in SERVERS]:
        parser.error(f"unknown: {', '.join(unknown)}")
    if not (1 <= options.rounds <= 50 and 1 <= options.seconds <= 300 and 1 <= options.connections <= 512):
        parser.error("rounds are 1 to 50, seconds 1 to 300, connections 1 to 512")
    options.names = [name for name in SERVERS if name in names]
    options.large = 1_000_000 if options.million else LIST_ROWS
    return options


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def build(options):
    """Both in one command, so that they share every dependency as it was built."""
    packages = ["keyward"] if any(name.startswith("keyward") for name in options.names) else []
    packages += ["hello"] if "hello" in options.names else []
    if packages and not options.no_build:
        flags = [flag for package in packages for flag in ("-p", package)]
        subprocess.run(["cargo", "build", "--locked", "--profile", options.profile, *flags], cwd=ROOT, check=True)


def turn(server, results, place, options):
    """One server's turn in one round."""
    load = {"core": place.load_core, "scratch": place.logs, "seconds": options.seconds}
    many = {**load, "connections": options.connections}
    keyward = isinstance(server, Keyward)
    before = fsync_ms(place.data) if server.name == "keyward" else []
    first = server.start()
    time.sleep(1)
    results.add(server.name, "grant", {"first": first, "idle": rss_mb(server.process.pid)})
    plan = grant(server.clients) if keyward else server.plan
    results.add(server.name, "grant", measure(server, plan, **many))
    results.add(server.name, "single", measure(server, server.plan, **load, connections=1))
    if keyward:
        if server.name == "keyward":
            probes = sorted(before + fsync_ms(place.data))
            results.add("disk", "fsync", {"p50": percentile(probes, 50), "p99": percentile(probes, 99)})
        results.add(server.name, "introspect", measure(server, server.introspection(), **many))
        for work, checked in server.key_checks():
            results.add(server.name, work, measure(server, checked, **many))
    elif server.name == "hello":
        results.add("hello", "python", one_by_one(server.port, [server.plan] * 200))
        results.add("hello", "signed", measure(server, replace(server.plan, path="/signed"), **many))
    server.stop()


def growth(server, results, place, options):
    """Small and large databases in turn, then lists and memory at 100,000 clients."""
    load = {"core": place.load_core, "scratch": place.logs, "connections": options.connections}
    stock = {}
    for work, total in (("small", 1_000), ("large", options.large)):
        say(f"filling a database with {total:,} clients")
        folder, clients = server.grown(total)
        stock[work] = folder, clients, grant(clients[:: max(1, len(clients) // ACTIVE)])
    for number in range(options.rounds):
        for work, (folder, clients, plan) in stock.items():
            say(f"growth, round {number + 1}: {len(clients):,} clients")
            results.add("keyward", work, {"first": server.start_in(folder, grant(clients[-1:]))})
            results.add("keyward", work, measure(server, plan, seconds=options.seconds, warmup=4, **load))
            server.stop()
    if options.large != LIST_ROWS:
        say(f"filling a database with {LIST_ROWS:,} clients")
        folder, clients = server.grown(LIST_ROWS)
    say("lists and memory at 100,000 clients")
    server.start_in(folder, grant(clients[-1:]))
    results.add("keyward", "list", one_by_one(server.port, server.lists(LIST_ROWS, 200)))
    results.add("keyward", "100k", {"idle": rss_mb(server.process.pid)})
    everyone, sent = grant(clients), 0
    waiting = everyone.bodies
    with PeakRss(server.process.pid) as peak:
        # Until every client had a token; bounded, for a server that is too slow for it.
        for _ in range(12):
            if sent < len(clients):
                everyone.bodies = waiting[sent:]
                sent += wrk(server.port, everyone, seconds=10, **load)["requests"]
    if sent < len(clients):
        say(f"only {sent:,} of {len(clients):,} clients had a token: the memory row says too little")
        return
    results.add("keyward", "100k", {"rss": peak.mb})


def run(options, place):
    results = report.Results()
    servers = [SERVERS[name](place) for name in options.names]
    for server in servers:
        if isinstance(server, Keyward):
            say(f"preparing {server.label}")
            server.prepare()
    for number in range(options.rounds):
        for server in servers:
            say(f"round {number + 1} of {options.rounds}: {server.label}")
            turn(server, results, place, options)
    for server in servers:
        if server.name == "keyward":
            results.add("keyward", "binary", {"mb": stripped_mb(place)})
            if not options.no_growth:
                growth(server, results, place, options)
    versions = [server.version() for server in servers if hasattr(server, "version")]
    return report.render(results, place, options, [(server.name, server.label) for server in servers], versions)


def stripped_mb(place):
    copy = os.path.join(place.data, "stripped")
    with contextlib.suppress(OSError):
        subprocess.run(["strip", "-o", copy, place.keyward], check=False, stderr=subprocess.DEVNULL)
    # The profile strips symbols already; without `strip` the file counts as it is.
    return os.path.getsize(copy if os.path.exists(copy) else place.keyward) / 1e6


def complete(options):
    """Whether this run may replace the published one."""
    return (options.profile == "dist" and not options.no_growth and options.rounds >= 3
            and {"hello", "keyward", "oidc-provider"} <= set(options.names))


def main():
    options = parse()
    build(options)
    # Logs go to memory where that is possible: writing them back would be in the way of fsync.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with working_place(options.profile, options.dir, memory) as here:
        text = run(options, here)
    print(text)
    if complete(options):
        path = os.path.join(ROOT, "docs", "benchmarks.md")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        say(f"written to {path}")
    else:
        say("a partial run: docs/benchmarks.md stays as it is")


if __name__ == "__main__":
    try:
        main()
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"bench: {error}")
