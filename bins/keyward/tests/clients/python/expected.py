"""What every client must find. The test says it in the environment, and no client is told more than an issuer."""

import os
import signal
import time

import requests
from checks import equal, refused, verified  # noqa: F401 — the clients take all from here

ISSUER = os.environ["KEYWARD_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SCOPE = os.environ["EXPECT_SCOPE"]
# The tenant's identifier; empty for a client of the whole platform.
TENANT = os.environ.get("EXPECT_TENANT", "")
ALG = os.environ.get("EXPECT_ALG", "ES256")
AUDIENCE = f"{ISSUER}/api"
WRONG_SECRET = "kws_test_" + "0" * 43 + "1f86zh"

# The server under test is on loopback, without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
# Not every library has a time limit of its own.
signal.alarm(60)


def discover():
    """The metadata, from the only address that a client knows."""
    reply = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10)
    reply.raise_for_status()
    metadata = reply.json()
    equal("issuer in the metadata", metadata["issuer"], ISSUER)
    return metadata


def check_token(token):
    equal("token_type", token["token_type"], "Bearer")
    equal("scope of the reply", set(token["scope"].split()), set(SCOPE.split()))


def check_claims(claims):
    """The claims that no library checks by itself."""
    equal("client_id", claims["client_id"], CLIENT_ID)
    equal("sub", claims["sub"], CLIENT_ID)
    equal("scope", set(claims["scope"].split()), set(SCOPE.split()))
    equal("tenant_id", claims.get("tenant_id"), TENANT or None)
    equal("tenants", claims.get("tenants"), [TENANT] if TENANT else None)
    for name in ("jti", "env"):
        equal(f"{name} is a text", isinstance(claims[name], str) and claims[name] != "", True)


def check_jwt(header, claims, token):
    equal("typ", header["typ"], "at+jwt")
    equal("alg", header["alg"], ALG)
    equal("iss", claims["iss"], ISSUER)
    equal("expires_in", claims["exp"] - claims["iat"], token["expires_in"])
    equal("iat is now", abs(time.time() - claims["iat"]) < 60, True)
    check_claims(claims)


def check_introspection(reply):
    equal("active", reply["active"], True)
    equal("token_type of introspection", reply["token_type"], "Bearer")
    equal("iss of introspection", reply["iss"], ISSUER)
    equal("aud of introspection", reply["aud"], AUDIENCE)
    check_claims(reply)
