"""A client generated from the served OpenAPI document leads a tenant through its whole life, by typed functions only."""

import datetime
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from checks import equal, verified

URL = os.environ["KEYWARD_URL"]
signal.alarm(120)


def generate(folder):
    """Writes the package `keyward_client`; anything in the document that it can't express fails."""
    config = folder / "config.yml"
    # What the generator has no reader for is read as text.
    config.write_text("post_hooks: []\ncontent_type_overrides:\n  application/jwt: text/plain\n")
    generator = Path(sys.executable).with_name("openapi-python-client")
    subprocess.run(
        [generator, "generate", "--url", f"{URL}/openapi.json", "--meta", "none", "--config", config,
         "--output-path", folder / "keyward_client", "--fail-on-warning"],
        check=True)


folder = tempfile.TemporaryDirectory()
generate(Path(folder.name))
sys.path.insert(0, folder.name)
import keyward_client  # noqa: E402
from keyward_client import models  # noqa: E402

verified("the document makes a client")
admin = keyward_client.AuthenticatedClient(
    base_url=URL, token=os.environ["ADMIN_TOKEN"], raise_on_unexpected_status=True, timeout=10)


def call(function, *arguments, status=200, **named):
    """The reply of a generated function, which must have this status."""
    module = importlib.import_module(f"keyward_client.api.{function}")
    reply = module.sync_detailed(*arguments, client=admin, **named)
    if reply.status_code != status:
        sys.exit(f"{function}: found {reply.status_code} {reply.content!r}, expected {status}")
    return reply


def ask(function, *arguments, status=200, **named):
    """The typed answer of a generated function, which must lose nothing of what was sent."""
    reply = call(function, *arguments, status=status, **named)
    if status == 204:
        return None
    sent = json.loads(reply.content)
    kept = reply.parsed.to_dict()
    equal(f"{function}: members", sorted(kept), sorted(sent))
    equal(f"{function}: members that no type describes", getattr(reply.parsed, "additional_keys", []), [])
    return reply.parsed


def make(function, body, *arguments):
    return ask(function, *arguments, status=201, body=body)


def token(application, secret, status=200):
    """A token by plain HTTP."""
    form = {"grant_type": "client_credentials"}
    reply = requests.post(f"{URL}/oauth2/token", form, auth=(application.client_id, secret.value), timeout=10)
    equal(f"status of a token for {application.client_id}: {reply.text}", reply.status_code, status)
    return reply.json()


partner = make("partners.create_partner", models.PartnerCreate(
    name="Northwind", slug="northwind", contact_email="it@northwind.example", max_tenants=3))
tenant = make("tenants.create_tenant", models.TenantCreate(
    name="Acme", slug="acme", partner_id=partner.id,
    settings=models.TenantCreateSettings.from_dict({"language": "en"})))
equal("partner of the tenant", tenant.partner_id, partner.id)
equal("settings", tenant.settings["language"], "en")
equal("tenants of the partner", [one.id for one in ask("tenants.list_tenants", partner_id=partner.id).data], [tenant.id])
verified("partner and tenant")

for resource in ("points", "cards"):
    row = make("permissions.create_permission", models.PermissionCreate(
        resource=resource, label=resource.title(), view=f"{resource}:read", change=[f"{resource}:write"]))
    equal("change", row.change, [f"{resource}:write"])
reader = make("roles.create_role", models.RoleCreate(
    name="reader", tenant_id=tenant.id, permissions=["points:read", "cards:read"]))
writer = make("roles.create_role", models.RoleCreate(name="writer", tenant_id=tenant.id, permissions=["points:write"]))
problem = ask("roles.create_role", body=models.RoleCreate(name="x", permissions=["no:such"]), status=422)
equal("what is wrong", (problem.code, [error.pointer for error in problem.errors]), ("invalid_fields", ["/permissions"]))
verified("permission rows and roles")

ada, bob = (make("users.create_user", models.UserCreate(
    email=f"{name.lower()}@acme.example", name=name, tenant_id=tenant.id)) for name in ("Ada", "Bob"))
ask("users.replace_user_roles", ada.id, body=models.Roles(roles=[reader.id]))
everyone, team = (
    make("groups.create_group", models.GroupCreate(name=name, tenant_id=tenant.id)) for name in ("Everyone", "Team"))
make("groups.nest_group", models.NestedGroup(group_id=team.id), everyone.id)
make("groups.add_group_member", models.GroupMember(user_id=bob.id), team.id)
ask("groups.replace_group_roles", everyone.id, body=models.Roles(roles=[writer.id]))
equal("members", [user.id for user in ask("groups.list_group_members", everyone.id).data], [])
equal("effective members", [user.id for user in ask("groups.list_group_effective_members", everyone.id).data], [bob.id])
equal("nested groups", [group.id for group in ask("groups.list_nested_groups", everyone.id).data], [team.id])
verified("users and nested groups")


def effective(user):
    found = ask("users.get_user_effective_permissions", user.id).data
    return {one.permission: [source.role_id for source in one.sources] for one in found}


equal("permissions of Ada", effective(ada), {"cards:read": [reader.id], "points:read": [reader.id]})
equal("permissions of Bob", effective(bob), {"points:write": [writer.id]})
verified("effective permissions")

application = make("applications.create_application", models.ApplicationCreate(
    type_=models.ApplicationType.SERVICE, client_id="crm-sync", tenant_id=tenant.id, allowed_scopes=["points:read"]))
equal("client_id", application.client_id, "acme.crm-sync")
first = application.secret
equal("scope", token(application, first)["scope"], "points:read")
second = make("applications.create_application_secret", models.SecretCreate(), application.id)
token(application, second)
ask("applications.revoke_application_secret", application.id, first.id, status=204)
token(application, first, status=401)
states = {one.id: one.state for one in ask("applications.list_application_secrets", application.id).data}
equal("states", states, {first.id: models.State.REVOKED, second.id: models.State.ACTIVE})
equal("tokens", ask("applications.get_application_usage", application.id).tokens_issued, 2)
verified("application, first and second secret")

platform = make("applications.create_application", models.ApplicationCreate(
    type_=models.ApplicationType.SERVICE, client_id="reports", allowed_scopes=["points:read", "cards:read"]))
equal("reach", platform.reach, models.ApplicationReach.GLOBAL)
ask("applications.replace_application_grants", platform.id, body=models.Grants(
    grants=[models.GrantCreate(tenant_id=tenant.id, roles=[reader.id], permissions=["points:read"])]))
grant, = ask("applications.get_application_grants", platform.id).grants
equal("grant", (grant.tenant_id, grant.roles, grant.permissions), (tenant.id, [reader.id], ["points:read"]))
equal("scope", set(token(platform, platform.secret)["scope"].split()), {"points:read", "cards:read"})
verified("grants of a global application")

until = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=90)
renewed = ask("applications.renew_application", application.id, body=models.ApplicationRenew(expires_at=until))
equal("expires_at", renewed.expires_at, until)
verified("renewal")

agent = make("agents.create_agent", models.AgentCreate(
    name="Support", tenant_id=tenant.id, owner_id=ada.id, allowed_tools=["search"], allowed_scopes=["points:read"]))
token(agent, agent.secret)
provider = make("identity_providers.create_identity_provider", models.IdentityProviderCreate(
    name="Acme ID", kind=models.ProviderKind.OIDC, tenant_id=tenant.id,
    config=models.IdentityProviderCreateConfig.from_dict({
        "issuer": "https://id.acme.example", "client_id": "keyward", "client_secret": "a secret of Acme",
        "scopes": ["openid"]})))
equal("the provider's secret", (provider.has_secret, "client_secret" in provider.config), (True, False))
verified("agent and identity provider")


def put(status):
    """Changes the tenant in the version that it has, and never in another."""
    version = call("tenants.get_tenant", tenant.id).headers["ETag"]
    edit = models.TenantEdit(status=status)
    ask("tenants.update_tenant", tenant.id, body=edit, if_match='"0"', status=412)
    equal("status", ask("tenants.update_tenant", tenant.id, body=edit, if_match=version).status, status)


put(models.TenancyStatus.SUSPENDED)
token(application, second, status=401)
token(agent, agent.secret, status=401)
verified("suspension")
put(models.TenancyStatus.ACTIVE)
token(application, second)
token(agent, agent.secret)
verified("activation")

ask("tenants.delete_tenant", tenant.id, status=204)
for function, gone in (
    ("tenants.get_tenant", tenant), ("roles.get_role", reader), ("roles.get_role", writer), ("users.get_user", ada),
    ("users.get_user", bob), ("groups.get_group", everyone), ("groups.get_group", team), ("agents.get_agent", agent),
    ("applications.get_application", application), ("identity_providers.get_identity_provider", provider),
):
    equal(f"code of {function}", ask(function, gone.id, status=404).code, "not_found")
token(application, second, status=401)
token(platform, platform.secret, status=400)
ask("applications.delete_application", platform.id, status=204)
ask("partners.delete_partner", partner.id, status=204)
ask("partners.get_partner", partner.id, status=404)
actions = {event.action for event in ask("audit.list_audit_events", per_page=100).data}
for action in ("tenant.created", "application.renewed", "tenant.deleted", "token.issued", "token.denied"):
    equal(f"{action} in the audit log", action in actions, True)
verified("deletion")
