"""Load by wrk, and single requests."""

import base64
import contextlib
import http.client
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from .process import LIBC, PR_SET_PDEATHSIG, BenchError, PeakRss, cpu_seconds, percentile

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.lua")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Plan:
    """Requests that differ in their bodies only."""

    method: str
    path: str
    headers: dict = field(default_factory=dict)
    bodies: list = field(default_factory=list)
    # A text that every good answer contains.
    expect: str = ""

    def write(self, path):
        with open(path, "w") as file:
            file.write(f"{self.method} {self.path}\n")
            file.writelines(f"{name}: {value}\n" for name, value in self.headers.items())
            file.write("\n")
            file.writelines(f"{body}\n" for body in self.bodies)


def grant_body(client_id, secret):
    return urlencode({
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": "read:points",
    })


def grant(clients):
    """Token requests of these (client ID, secret) pairs in turn."""
    bodies = [grant_body(*client) for client in clients]
    return Plan("POST", "/oauth2/token", FORM, bodies, '"access_token"')


def basic(client_id, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


class Connection:
    """A keep-alive connection for requests one by one."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def send(self, method, path, headers=None, body=None):
        """(status, text of the body)."""
        self.http.request(method, path, body, headers or {})
        reply = self.http.getresponse()
        return reply.status, reply.read().decode(errors="replace")

    def json(self, method, path, headers=None, body=None, ok=(200, 201)):
        text = None if body is None else json.dumps(body)
        status, reply = self.send(method, path, {**JSON, **(headers or {})}, text)
        if status not in ok:
            raise BenchError(f"{method} {path} answered {status}: {reply[:500]}")
        return json.loads(reply)

    def try_plan(self, plan, body=None):
        body = body or (plan.bodies[0] if plan.bodies else None)
        status, reply = self.send(plan.method, plan.path, plan.headers, body)
        if status != 200 or plan.expect not in reply:
            raise BenchError(f"{plan.method} {plan.path} answered {status}: {reply[:500]}")
        return reply

    def close(self):
        self.http.close()


def first_reply_ms(process, port, plan, limit=60):
    """Milliseconds from the start of the process to its first good answer."""
    while time.perf_counter() - process.spawned < limit:
        process.check()
        connection = Connection(port)
        with contextlib.suppress(OSError, http.client.HTTPException, BenchError):
            connection.try_plan(plan)
            return (time.perf_counter() - process.spawned) * 1e3
        connection.close()
        time.sleep(0.0005)
    # Once more, for the reason.
    Connection(port).try_plan(plan)
    raise BenchError("the first good answer took too long")


def _child(core):
    LIBC.prctl(PR_SET_PDEATHSIG, 9)
    os.sched_setaffinity(0, {core})


def wrk(port, plan, *, core, seconds, connections, scratch):
    """One run of wrk."""
    path = os.path.join(scratch, "plan")
    plan.write(path)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", LUA,
               f"http://127.0.0.1:{port}{plan.path}", "--", path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60,
                         preexec_fn=lambda: _child(core), check=False)
    line = next((line for line in run.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise BenchError(f"wrk failed: {run.stdout[-500:]} {run.stderr[-500:]}")
    result = json.loads(line.removeprefix("RESULT "))
    if result["refused"] or result["broken"] or not result["requests"]:
        raise BenchError(f"{plan.method} {plan.path} under load: {line}")
    return result


def measure(server, plan, *, core, seconds, connections, scratch, warmup=1):
    """Load after a warm-up: CPU in microseconds per request, requests per second, milliseconds, peak memory."""
    process, port = server.process, server.port
    connection = Connection(port)
    connection.try_plan(plan)
    connection.close()
    options = {"core": core, "connections": connections, "scratch": scratch}
    if warmup:
        wrk(port, plan, seconds=warmup, **options)
    before, before_database = cpu_seconds(process.pid), cpu_seconds(server.postmaster)
    with PeakRss(process.pid) as peak:
        result = wrk(port, plan, seconds=seconds, **options)
    used = cpu_seconds(process.pid) - before
    used_database = cpu_seconds(server.postmaster) - before_database
    process.check()
    return {
        "cpu": used * 1e6 / result["requests"],
        "cpu_database": used_database * 1e6 / result["requests"],
        "rate": result["requests"] * 1e6 / result["microseconds"],
        "busy": (used + used_database) * 1e6 / result["microseconds"],
        "p50": result["p50"] / 1e3,
        "p99": result["p99"] / 1e3,
        "rss": peak.mb,
        "requests": result["requests"],
    }


def one_by_one(port, plans):
    """p50 and p95 in milliseconds of single requests on one connection."""
    connection, taken = Connection(port), []
    for plan in plans:
        start = time.perf_counter()
        status, reply = connection.send(plan.method, plan.path, plan.headers, plan.bodies[0] if plan.bodies else None)
        taken.append((time.perf_counter() - start) * 1e3)
        if status != 200 or plan.expect not in reply:
            raise BenchError(f"{plan.method} {plan.path} answered {status}: {reply[:300]}")
    connection.close()
    taken.sort()
    return {"p50": percentile(taken, 50), "p95": percentile(taken, 95)}
