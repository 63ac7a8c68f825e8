"""Schemathesis: whatever is sent, by whomever, the answer is one that the served OpenAPI document describes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from checks import equal, verified

URL, SEED = os.environ["KEYWARD_URL"], os.environ["SEED"]
TENANT, PARTNER = os.environ["TENANT"], os.environ["PARTNER"]
signal.alarm(300)
# Who asks, with which token, and how many requests each operation gets. The slowest come first.
CALLERS = {
    "super-admin": (os.environ["ADMIN_TOKEN"], 5),
    "partner-admin": (os.environ["PARTNER_ADMIN_TOKEN"], 3),
    "tenant-admin": (os.environ["TENANT_ADMIN_TOKEN"], 3),
    "reader": (os.environ["READER_TOKEN"], 2),
    "nobody": (None, 1),
}
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance",
]
# Operations that are left out, by their identifiers, and why.
EXCLUDED = {}


def admin(path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['ADMIN_TOKEN']}"}
    reply = requests.request("POST" if body else "GET", f"{URL}/api/v1/admin/{path}", json=body, headers=headers, timeout=10)
    if not reply.ok:
        sys.exit(f"{path}: {reply.status_code} {reply.text}")
    return reply.json()


def world(name, caller):
    """One of everything, in a tenant that the caller reaches: identifiers by collection, and an application's client."""
    made = {}

    def make(collection, **body):
        answer = admin(collection, body)
        made[collection] = answer["id"]
        return answer

    make("partners", name=name, slug=name)
    if caller == "tenant-admin":
        made["tenants"] = TENANT
    else:
        make("tenants", name=name, slug=name, partner_id=PARTNER)
    within = {"name": name, "tenant_id": made["tenants"]}
    make("permissions", resource=name, view=f"{name}:read", change=[f"{name}:write"])
    make("users", email=f"{name}@acme.example", **within)
    make("groups", **within)
    make("roles", permissions=[f"{name}:read"], **within)
    make("agents", **within)
    make("identity-providers", kind="saml", config={"metadata": "<EntityDescriptor/>"}, **within)
    # Grants are for applications beyond a tenant.
    owner = {"tenant_id": TENANT} if caller == "tenant-admin" else {"partner_id": PARTNER}
    application = make("applications", type="service", client_id=name, allowed_scopes=[f"{name}:read"], **owner)
    admin(f"groups/{made['groups']}/members", {"user_id": made["users"]})
    made["secrets"] = admin(f"applications/{made['applications']}/secrets", {"expires_at": None})["id"]
    made["audit"] = admin(f"audit?per_page=1&tenant_id={made['tenants']}")["data"][0]["id"]
    return made, (application["client_id"], application["secret"]["value"])


def configuration(caller, token):
    """What Schemathesis must know to get behind the first refusal: a caller, and things that there are."""
    kept, client = world(f"kept-{caller}", caller)
    doomed, _ = world(f"doomed-{caller}", caller)
    known = sorted({*kept.values(), f"kept-{caller}:read", f"kept-{caller}:write", "active", "disabled", "*"})
    lines = [f"[dictionaries]\nknown = {{ values = {json.dumps(known)} }}"]
    for prefix, made in (("kept", kept), ("doomed", doomed)):
        lines += [f"{prefix}-{name} = {{ values = [\"{id}\"] }}" for name, id in made.items()]
    lines.append("[generation.dictionaries]\nstring = { dictionary = \"known\", probability = 0.3 }")
    # Identifiers in answers could be those of the callers, who must still be there in the end.
    lines.append("[phases.fuzzing.extra-data-sources]\nresponses = false")

    def named(parameter, dictionary):
        return f"\"path.{parameter}\" = {{ dictionary = \"{dictionary}\", probability = 0.8 }}"

    lines += ["[parameters]", named("secret_id", "kept-secrets"), named("user_id", "kept-users")]
    for name in kept:
        path = f"/api/v1/admin/{name}/\\{{id\\}}"
        for prefix, operations in (("kept", f"^(?!DELETE {path}$)[A-Z]+ {path}"), ("doomed", f"^DELETE {path}$")):
            lines.append(f"[[operations]]\ninclude-name-regex = '{operations}'")
            lines.append("parameters." + named("id", f"{prefix}-{name}"))
    if token is not None:
        lines.append(f"[auth.openapi.token]\nbearer = \"{token}\"")
        lines.append(f"[auth.openapi.client]\nusername = \"{client[0]}\"\npassword = \"{client[1]}\"")
    return "\n".join(lines) + "\n"


def run(caller):
    token, examples = CALLERS[caller]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "schemathesis.toml")
        config.write_text(configuration(caller, token))
        exclusions = [option for operation in EXCLUDED for option in ("--exclude-operation-id", operation)]
        ended = subprocess.run(
            [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", f"{URL}/openapi.json",
             "--url", URL, "--checks", ",".join(CHECKS), "--phases", "fuzzing", "--max-examples", str(examples),
             "--seed", SEED, "--no-shrink", "--continue-on-failure", "--generation-database", "none",
             "--generation-with-security-parameters", "false", "--warnings", "off", "--no-color",
             "--request-timeout", "20", *exclusions],
            cwd=folder, capture_output=True, text=True)
    return caller, ended, time.monotonic() - began


failed = False
with ThreadPoolExecutor(2) as pool:
    for caller, ended, seconds in pool.map(run, CALLERS):
        if ended.returncode == 0:
            counted = [line.strip() for line in ended.stdout.splitlines() if "generated" in line]
            verified(f"{caller}: {counted[-1]} ({seconds:.0f} s)")
        else:
            failed = True
            print(f"{caller}:\n{ended.stdout}{ended.stderr}")
for caller, (token, _) in CALLERS.items():
    if token is not None:
        headers = {"Authorization": f"Bearer {token}"}
        reply = requests.get(f"{URL}/api/v1/admin/users", headers=headers, timeout=10)
        equal(f"status of a list for {caller} in the end", reply.status_code, 200)
sys.exit(failed)
