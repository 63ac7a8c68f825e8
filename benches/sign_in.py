#!/usr/bin/env python3
"""`scripts/bench sign-in`: what sign-ins cost others, and what they tell a stranger.

A storm of passwords beside token grants, and answers for known and unknown accounts in turn. Writes
docs/benchmarks-sign-in.md.
"""

import argparse
import html
import http.client
import os
import re
import statistics
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from bench import build, say  # noqa: E402
from harness import report  # noqa: E402
from harness.load import FORM, grant, measure  # noqa: E402
from harness.place import ROOT, working_place  # noqa: E402
from harness.process import BenchError, percentile  # noqa: E402
from harness.servers import Keyward  # noqa: E402

PASSWORD = "marble otter lantern 41"
# How often each of the two is tried: 200 tries in turn, and as many accounts as the limits for each of them need.
TRIES, ACCOUNTS = 100, 20
# People who try passwords all the time.
STORM = 32

HEAD = """# Sign-in under load, and what it tells

Written by `scripts/bench sign-in`; don't edit.

**Method.** Keyward on SQLite as in [benchmarks.md](benchmarks.md), on one core. *Storm*: {storm} people try passwords over
and over, each from an address of its own, while `wrk` asks for tokens on 32 connections; rounds with and without them take
turns. *Known and unknown*: {tries} wrong passwords for accounts that exist and as many for accounts that don't, one of each
in turn; a difference that a stranger could use would lie outside of the spread.

"""


class Browser:
    """One that comes from an address of its own."""

    def __init__(self, port, number):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.cookies = {}

    def send(self, method, path, form=None):
        body = None if form is None else urllib.parse.urlencode(form)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"X-Forwarded-For": self.address, "Cookie": cookies, **(FORM if body else {})}
        self.http.request(method, path, body, headers)
        reply = self.http.getresponse()
        for cookie in reply.headers.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        text = reply.read().decode()
        if reply.status == 303:
            return self.send("GET", reply.headers["Location"])
        return reply.status, text

    def follow(self, path, page, form):
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
        return self.send("POST", path, {**{name: html.unescape(value) for name, value in hidden}, **form})

    def asked(self, email):
        """The page that asks for the password of an account."""
        _, page = self.send("GET", "/console/sign-in")
        status, page = self.follow("/console/sign-in", page, {"email": email})
        if status != 200 or 'name="password"' not in page:
            raise BenchError(f"no password is asked for: {status} {page[:500]}")
        return page

    def fail(self, page):
        """Tries a wrong password: milliseconds."""
        start = time.perf_counter()
        status, _ = self.follow("/console/sign-in/password", page, {"password": "not the one, for sure"})
        # 503 to those who would wait for too long in a storm.
        if status not in (403, 503):
            raise BenchError(f"a wrong password was answered with {status}")
        return (time.perf_counter() - start) * 1e3, status


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench sign-in", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds with and without the storm (default 5)")
    parser.add_argument("--seconds", type=int, default=8, help="seconds of each round (default 8)")
    parser.add_argument("--profile", default="dist", help="the cargo profile (default dist, as released)")
    parser.add_argument("--no-build", action="store_true", help="take the binary that is there")
    options = parser.parse_args()
    options.names = ["keyward"]
    return options


class Storm:
    """Passwords tried on many connections until the end of a block."""

    def __init__(self, port):
        self.port, self.over, self.tried, self.broken = port, threading.Event(), [], []
        self.people = [threading.Thread(target=self.try_on, args=(number,)) for number in range(STORM)]

    def try_on(self, number):
        try:
            while not self.over.is_set():
                number += STORM
                browser = Browser(self.port, number)
                self.tried.append(browser.fail(browser.asked(f"nobody-{number}@bench.example")))
        except (BenchError, OSError, http.client.HTTPException) as error:
            self.broken.append(error)

    def __enter__(self):
        for person in self.people:
            person.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for person in self.people:
            person.join()


def storm(server, place, options):
    """p99 of grants without and with a storm, round by round, and the passwords that were tried."""
    load = {"core": place.load_core, "scratch": place.logs, "connections": 32, "seconds": options.seconds}
    calm, stormy, tried = [], [], 0
    for number in range(options.rounds):
        say(f"storm, round {number + 1} of {options.rounds}")
        calm.append(measure(server, grant(server.clients), **load))
        with Storm(server.port) as people:
            stormy.append(measure(server, grant(server.clients), **load))
        if people.broken or not people.tried:
            raise BenchError(f"the storm broke: {people.broken[:1]}")
        tried += sum(status == 403 for _, status in people.tried)
    rows = [[name, *(report.show([one[metric] for one in rounds]) for metric in ("p50", "p99")),
             report.show([one["rate"] for one in rounds], 0)] for name, rounds in (("calm", calm), ("storm", stormy))]
    ratio = report.ratios([one["p99"] for one in stormy], [one["p99"] for one in calm])
    said = report.verdict(report.median(ratio), 2, None, at_most=True)
    return "\n".join([
        "## Grants beside a storm\n",
        report.table(["", "p50 ms", "p99 ms", "grants/s"], rows),
        f"\np99 in the storm / without it: {report.show(ratio)}, must ≤ 2: {said}. "
        f"Passwords tried: {tried}.\n",
    ])


def stranger(server):
    """Milliseconds for wrong passwords of accounts that exist and of those that don't, in turn."""
    say("known and unknown accounts in turn")
    taken, statuses = {"known": [], "unknown": []}, set()
    for number in range(TRIES):
        account = number % ACCOUNTS
        for kind, email in (("known", f"person-{account}@bench.example"), ("unknown", f"nobody-{account}@bench.example")):
            browser = Browser(server.port, (1 << 20) + 2 * number + (kind == "known"))
            milliseconds, status = browser.fail(browser.asked(email))
            taken[kind].append(milliseconds)
            statuses.add(status)
    if statuses != {403}:
        raise BenchError(f"wrong passwords were answered with {statuses}")
    rows = []
    for kind, values in taken.items():
        values.sort()
        rows.append([kind, *(f"{percentile(values, percent):.2f}" for percent in (25, 50, 75))])
    middle = {kind: statistics.median(values) for kind, values in taken.items()}
    spread = percentile(taken["known"], 75) - percentile(taken["known"], 25)
    apart = abs(middle["known"] - middle["unknown"])
    return "\n".join([
        "## Known and unknown accounts\n",
        report.table(["a wrong password for an account that is", "25 % ms", "median ms", "75 % ms"], rows),
        f"\nThe medians are {apart:.2f} ms apart, where half of the answers for known accounts spread over {spread:.2f} ms: "
        f"{'pass' if apart <= spread else '**short**'}.\n",
    ])


def people(server):
    """Accounts with passwords."""
    file = os.path.join(server.folder, "password")
    with open(file, "w") as written:
        written.write(PASSWORD)
    for number in range(ACCOUNTS):
        server.command("admin", "create", "--email", f"person-{number}@bench.example", "--password-file", file)
    time.sleep(1.1)  # What a command writes counts within a second.


def run(options, place):
    server = Keyward(place)
    plain = server.environment
    server.environment = lambda: {**plain(), "KEYWARD_HTTP__TRUSTED_PROXIES": "127.0.0.1"}
    server.prepare()
    server.start()
    people(server)
    parts = [HEAD.format(storm=STORM, tries=TRIES), report.machine(place, []), "\n\n"]
    parts += [storm(server, place, options), "\n", stranger(server)]
    server.stop()
    return "".join(parts)


def main():
    options = parse()
    build(options)
    with working_place(options.profile) as here:
        text = run(options, here)
    print(text)
    if options.profile == "dist" and options.rounds >= 5 and options.seconds >= 8:
        with open(os.path.join(ROOT, "docs", "benchmarks-sign-in.md"), "w") as file:
            file.write(text)


if __name__ == "__main__":
    try:
        main()
    except (BenchError, OSError) as error:
        sys.exit(f"bench: {error}")
