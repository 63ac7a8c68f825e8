#!/usr/bin/env python3
"""`scripts/bench lists`: how long lists take at 100,000 rows, on SQLite and PostgreSQL.

One request after the other on one connection, pages spread over the whole list; of the admin API and of the console.
Writes docs/benchmarks-lists.md.
"""

import argparse
import html
import http.cookiejar
import os
import re
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from bench import build, say  # noqa: E402
from harness.fill import Database  # noqa: E402
from harness.load import Connection, Plan, grant, one_by_one, wrk  # noqa: E402
from harness.place import ROOT, working_place  # noqa: E402
from harness.process import BenchError  # noqa: E402
from harness.servers import ADMIN, Keyward, KeywardPostgres  # noqa: E402

TENANTS = 1_000
# Resource, table, and what one of them is made of beside its tenant.
KINDS = {
    "applications": ("applications", {"name": "Nightly job", "type": "service", "client_id": "job",
                                      "allowed_scopes": ["read:points"], "notes": "Adjusts points at night"}),
    "users": ("users", {"name": "Person", "email": "person@example.com"}),
    "roles": ("roles", {"name": "Role", "permissions": ["read:points"]}),
    "groups": ("groups", {"name": "Group"}),
    "agents": ("agents", {"name": "Agent", "allowed_scopes": ["read:points"]}),
    "api-keys": ("api_keys", {"name": "Key", "kind": "secret", "permissions": ["read:points"]}),
}
# Lists of applications that ask for more than a page.
ASKED = {
    "by name": "sort=name", "by status": "status=active", "search, all match": "q=nightly",
    "search, one matches": "q=job+{rows}", "search, none matches": "q=zebra",
}
# Pages of the console, everywhere and in the large tenant.
PAGES = ["users", "groups", "agents", "settings/iam/api-access", "settings/iam/roles", "settings/security/api-keys",
         "audit", "sessions", "tenants", "partners", "dashboard"]
PASSWORD = "marble otter lantern 41"


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench lists", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000, help="rows of each table (default 100,000)")
    parser.add_argument("--requests", type=int, default=60, help="requests for each figure (default 60)")
    parser.add_argument("--only", choices=["keyward", "keyward-pg"], help="one database (default both)")
    parser.add_argument("--profile", default="dist", help="the cargo profile (default dist, as released)")
    parser.add_argument("--no-build", action="store_true", help="take the binary that is there")
    parser.add_argument("--keyward", help="another binary, which is not built")
    options = parser.parse_args()
    options.names = ["keyward"]
    options.no_build |= bool(options.keyward)
    return options


def prepare(server, rows):
    """A partner with a tenant that has half of everything; who may see which; their tokens come later."""
    server.prepare()
    server.start_in(server.prepared, grant(server.clients[:1]))
    link, like = Connection(server.port), {}
    bearer = server.bearer(link)
    partner = link.json("POST", f"{ADMIN}/partners", bearer, {"name": "Large", "slug": "large"})["id"]
    tenant = {"name": "Large", "slug": "large-tenant", "partner_id": partner}
    like["tenants"] = tenant = link.json("POST", f"{ADMIN}/tenants", bearer, tenant)["id"]
    for resource, (_, body) in KINDS.items():
        like[resource] = link.json("POST", f"{ADMIN}/{resource}", bearer, {**body, "tenant_id": tenant})["id"]
    for role, owner in (("partner_admin", {"partner_id": partner}), ("tenant_admin", {"tenant_id": tenant})):
        admin = {"name": role, "email": f"{role}@example.com", "admin_role": role, **owner}
        link.json("POST", f"{ADMIN}/users", bearer, admin)
    link.close()
    # The audit log can't be copied: its chain would break.
    while server_events(server, bearer) < rows:
        wrk(server.port, grant(server.clients), core=server.place.load_core, seconds=2, connections=32,
            scratch=server.place.logs)
    server.stop()
    target = server.database_url or os.path.join(server.prepared, "keyward-data", "keyward.db")
    database = Database(target)
    database.fill("tenants", tenant, TENANTS)
    for resource, (table, _) in KINDS.items():
        say(f"filling {table}")
        database.fill(table, like[resource], rows, TENANTS)
    database.settle()


def server_events(server, bearer):
    link = Connection(server.port)
    total = link.json("GET", f"{ADMIN}/audit?per_page=1", bearer)["pagination"]["total"]
    link.close()
    return total


def measure(server, bearer, path, query, requests):
    """p50 and p95 of pages of 100 from everywhere in the list, in milliseconds, and of the first page anew."""
    link = Connection(server.port)
    first = f"{ADMIN}/{path}?per_page=100&{query}"
    total = link.json("GET", first, bearer)["pagination"]["total"]
    link.close()
    pages = max(1, -(-total // 100))
    # Not in order: 61 has no divisor in common with most numbers of pages.
    numbers = [1 + (number * max(1, pages // requests) * 61) % pages for number in range(requests)]
    plans = [Plan("GET", f"{first}&page={number}", bearer, expect='"pagination"') for number in numbers]
    figures = one_by_one(server.port, plans)
    return f"{figures['p50']:.1f} / {figures['p95']:.1f}", total


def signed_in(server):
    """The cookies of somebody who signed in by the pages, as a header."""
    email, file = "console@example.com", os.path.join(server.place.logs, "password")
    with open(file, "w") as password:
        password.write(PASSWORD)
    server.command("admin", "create", "--email", email, "--password-file", file)
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    base = f"http://127.0.0.1:{server.port}/console"
    page = opener.open(f"{base}/sign-in").read().decode()
    for path, field, value in (("/sign-in", "email", email), ("/sign-in/password", "password", PASSWORD)):
        hidden = {name: html.unescape(text) for name, text in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)}
        form = urllib.parse.urlencode({**hidden, field: value}).encode()
        page = opener.open(base + path, form).read().decode()
    if "My account" not in page:
        raise BenchError(f"nobody is signed in: {page[:300]}")
    return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)}


def console_table(server, options):
    """p50 and p95 of pages of the console, in milliseconds."""
    cookies = signed_in(server)
    lines = ["", "| page of the console | everything | in the large tenant |", "| --- | --- | --- |"]
    for path in PAGES:
        say(f"{server.label}: console, {path}")
        row = []
        for place, share in (("/console", 1), ("/console/t/large-tenant", 2)):
            last = max(1, options.rows // share // 20)
            turns = path not in ("audit", "dashboard")
            numbers = [1 + (number * max(1, last // options.requests) * 61) % last for number in range(options.requests)]
            where = [f"{place}/{path}" + (f"?page={number}" if turns else "") for number in numbers]
            figures = one_by_one(server.port, [Plan("GET", at, cookies, expect="</html>") for at in where])
            row.append(f"{figures['p50']:.1f} / {figures['p95']:.1f}")
        lines.append(f"| {path} | {' | '.join(row)} |")
    return "\n".join(lines)


def database_table(server, options):
    say(f"preparing {server.label}")
    plain = server.environment
    # Who measures has no authenticator app.
    server.environment = lambda: {**plain(), "KEYWARD_SIGN_IN__TOTP_REQUIRED": ""}
    prepare(server, options.rows)
    server.start_in(server.prepared, grant(server.clients[:1]))
    link = Connection(server.port)
    callers = {"platform": server.bearer(link)}
    link.close()
    for role in ("partner_admin", "tenant_admin"):
        token = server.command("admin", "token", "--email", f"{role}@example.com").split()[-1]
        callers[role.split("_")[0]] = {"Authorization": f"Bearer {token}"}
    time.sleep(1.1)
    lines = [f"## {server.label}", "", "| list | platform | partner | tenant |", "| --- | --- | --- | --- |"]
    lists = [(resource, resource, "") for resource in (*KINDS, "audit")]
    lists += [(f"applications, {name}", "applications", query.format(rows=options.rows)) for name, query in ASKED.items()]
    for name, path, query in lists:
        say(f"{server.label}: {name}")
        row = []
        for bearer in callers.values():
            figures, total = measure(server, bearer, path, query, options.requests)
            row.append(f"{figures} ({total:,})")
        lines.append(f"| {name} | {' | '.join(row)} |")
    lines.append(console_table(server, options))
    server.stop()
    return "\n".join(lines)


def main():
    options = parse()
    build(options)
    kinds = [kind for kind in (Keyward, KeywardPostgres) if options.only in (None, kind.name)]
    with working_place(options.profile, keyward=options.keyward) as here:
        tables = [database_table(kind(here), options) for kind in kinds]
    text = (f"# Lists\n\nWritten by `scripts/bench lists`; don't edit. Milliseconds, p50 / p95 of {options.requests} requests "
            f"for 100 records, pages spread over the whole list, one connection, read by Python; in brackets how many "
            f"records the list has; pages of the console have 20. {options.rows:,} rows of each table, half of them in one tenant of one partner, the rest "
            f"in {TENANTS:,} tenants.\n\n" + "\n\n".join(tables) + "\n")
    print(text)
    if len(kinds) == 2 and options.rows == 100_000:
        with open(os.path.join(ROOT, "docs", "benchmarks-lists.md"), "w") as file:
            file.write(text)


if __name__ == "__main__":
    try:
        main()
    except (BenchError, OSError) as error:
        sys.exit(f"bench: {error}")
