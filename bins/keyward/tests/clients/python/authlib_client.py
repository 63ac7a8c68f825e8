"""Authlib: a token by either way of sending the secret, joserfc to verify it, introspection, revocation."""

import expected
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidClaimError
from joserfc.jwk import KeySet

metadata = expected.discover()
# Where there is no authorization endpoint there is no response type; Authlib wants one even so.
response_types = metadata["response_types_supported"] or ["none"]
AuthorizationServerMetadata(metadata | {"response_types_supported": response_types}).validate()
expected.verified("metadata is valid by RFC 8414")
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())


def session(method, secret=expected.CLIENT_SECRET):
    return OAuth2Session(
        expected.CLIENT_ID, secret, token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method, scope=expected.SCOPE,
    )


def fetch(client):
    return client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


def validate(decoded, audience):
    must = {"essential": True}
    jwt.JWTClaimsRegistry(
        iss={**must, "value": expected.ISSUER}, aud={**must, "value": audience}, exp=must, iat=must, sub=must, jti=must,
    ).validate(decoded.claims)


for method in ("client_secret_basic", "client_secret_post"):
    client = session(method)
    token = fetch(client)
    expected.check_token(token)
    decoded = jwt.decode(token["access_token"], keys, algorithms=[expected.ALG])
    validate(decoded, expected.AUDIENCE)
    expected.check_jwt(decoded.header, decoded.claims, token)
    expected.verified(f"{method}: token, signature and claims")

    def introspect(client=client, token=token["access_token"]):
        reply = client.introspect_token(metadata["introspection_endpoint"], token=token, token_type_hint="access_token")
        reply.raise_for_status()
        return reply.json()

    expected.check_introspection(introspect())
    reply = client.revoke_token(
        metadata["revocation_endpoint"], token=token["access_token"], token_type_hint="access_token")
    expected.equal("status of the revocation", reply.status_code, 200)
    expected.equal("introspection after the revocation", introspect(), {"active": False})
    expected.verified(f"{method}: introspection and revocation")

    wrong = expected.refused(f"{method}: wrong secret", OAuthError,
                             lambda method=method: fetch(session(method, expected.WRONG_SECRET)))
    expected.equal("error", wrong.error, "invalid_client")

expected.refused("wrong audience", InvalidClaimError, lambda: validate(decoded, "https://elsewhere.example/api"))
# The claims of one token under the signature of another.
parts = [token["access_token"].split("."), fetch(client)["access_token"].split(".")]
swapped = ".".join((*parts[0][:2], parts[1][2]))
expected.refused("another token's signature", BadSignatureError, lambda: jwt.decode(swapped, keys, algorithms=[expected.ALG]))
