"""requests-oauthlib: a token by either way of sending the secret, PyJWT to verify it and a call with it."""

import expected
import jwt
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidScopeError
from requests_oauthlib import OAuth2Session

metadata = expected.discover()
keys = jwt.PyJWKClient(metadata["jwks_uri"], timeout=10)


def session(scope=expected.SCOPE):
    return OAuth2Session(client=BackendApplicationClient(expected.CLIENT_ID, scope=scope.split()))


def fetch(client, in_body, secret=expected.CLIENT_SECRET):
    # oauthlib itself refuses a reply whose scope is not the one that was asked for.
    return client.fetch_token(
        metadata["token_endpoint"], client_id=expected.CLIENT_ID, client_secret=secret,
        include_client_secret=in_body, timeout=10)


def verify(token, audience=expected.AUDIENCE):
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode_complete(
        token, key, algorithms=[expected.ALG], issuer=expected.ISSUER, audience=audience,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]})


for name, in_body in (("Basic", False), ("body", True)):
    client = session()
    token = fetch(client, in_body)
    expected.equal("token_type", token["token_type"], "Bearer")
    found = verify(token["access_token"])
    expected.check_jwt(found["header"], found["payload"], token)
    expected.verified(f"{name}: token, signature and claims")

    wrong = expected.refused(
        f"{name}: wrong secret", InvalidClientError, lambda: fetch(session(), in_body, expected.WRONG_SECRET))
    expected.equal("status", wrong.status_code, 401)

expected.refused("unknown scope", InvalidScopeError, lambda: fetch(session("no:such"), False))
expected.refused("wrong audience", jwt.InvalidAudienceError,
                 lambda: verify(token["access_token"], "https://elsewhere.example/api"))
