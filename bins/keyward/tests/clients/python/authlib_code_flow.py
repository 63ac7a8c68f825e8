"""Authlib as a relying party, over requests and over httpx, and a person with a browser that runs no scripts."""

import os
import signal
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from checks import equal, refused, verified
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

ISSUER = os.environ["KEYWARD_URL"]
EMAIL, PASSWORD, NAME = (os.environ[name] for name in ("EMAIL", "PASSWORD", "NAME"))
ALG = os.environ["EXPECT_ALG"]
SCOPE = f"openid profile email offline_access {os.environ['EXPECT_SCOPE']}"
# The server under test is on loopback, without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
# Not every library has a time limit of its own.
signal.alarm(120)


class Form(HTMLParser):
    """The fields of a page's first form, with what they hold, and where it leads."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.action = {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attrs["action"]
        if tag == "input" and "name" in attrs:
            self.fields.setdefault(attrs["name"], attrs.get("value", ""))


class Browser:
    """Keeps cookies, and goes where it is sent, until that is the application."""

    def __init__(self, redirect_uri):
        self.session, self.redirect_uri = requests.Session(), redirect_uri

    def goes(self, address, form=None):
        for _ in range(10):
            method = "GET" if form is None else "POST"
            reply = self.session.request(method, address, data=form, allow_redirects=False, timeout=10)
            if not reply.is_redirect:
                reply.raise_for_status()
                return reply
            address, form = urljoin(address, reply.headers["location"]), None
            if address.startswith(self.redirect_uri):
                return address
        raise AssertionError("sent in circles")

    def sends(self, page, **fields):
        form = Form(page.text)
        return self.goes(urljoin(page.url, form.action), {**form.fields, **fields})

    def signs_in(self, address):
        page = self.goes(address)
        page = self.sends(page, email=EMAIL)
        return self.sends(page, email=EMAIL, password=PASSWORD)


def over_requests(**options):
    return OAuth2Session(**options)


def over_httpx(**options):
    return OAuth2Client(**options)


metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
OpenIDProviderMetadata(metadata).validate()
verified("metadata is valid by OpenID Connect Discovery")
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())


def check_id_token(token, client_id, nonce):
    decoded = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    equal("alg", decoded.header["alg"], ALG)
    must = {"essential": True}
    claims = CodeIDToken(
        decoded.claims, decoded.header,
        options={"iss": {**must, "value": metadata["issuer"]}, "aud": {**must, "value": client_id}, "sub": must},
        params={"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate(leeway=0)
    equal("email", claims["email"], EMAIL)
    equal("name", claims["name"], NAME)
    return claims


def code_flow(make, name, client_id, secret, method, redirect_uri):
    client = make(client_id=client_id, client_secret=secret, token_endpoint_auth_method=method, scope=SCOPE,
                  redirect_uri=redirect_uri, code_challenge_method="S256")
    browser = Browser(redirect_uri)
    verifier, nonce = generate_token(48), generate_token()
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    callback = browser.signs_in(address)
    equal("iss of the answer", parse_qs(urlsplit(callback).query)["iss"], [ISSUER])

    def fetch(verifier=verifier):
        return client.fetch_token(metadata["token_endpoint"], authorization_response=callback, state=state,
                                  code_verifier=verifier)

    wrong = refused("another verifier", OAuthError, lambda: fetch(generate_token(48)))
    equal("error", wrong.error, "invalid_grant")
    token = fetch()
    equal("scope", set(token["scope"].split()), set(SCOPE.split()))
    claims = check_id_token(token, client_id, nonce)
    head, body, _ = token["id_token"].split(".")
    forged = ".".join((head, body, token["access_token"].split(".")[2]))
    refused("another token's signature", BadSignatureError, lambda: jwt.decode(forged, keys, algorithms=[ALG]))

    person = UserInfo(client.get(metadata["userinfo_endpoint"]).json())
    equal("sub of userinfo", person.sub, claims["sub"])
    equal("email of userinfo", person.email, EMAIL)

    first = dict(token)
    renewed = client.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
    equal("the refresh token is another", renewed["refresh_token"] != first["refresh_token"], True)
    equal("sub of userinfo", client.get(metadata["userinfo_endpoint"]).json()["sub"], claims["sub"])

    left = browser.goes(f"{metadata['end_session_endpoint']}?" + httpx.QueryParams(
        id_token_hint=token["id_token"], post_logout_redirect_uri=redirect_uri, state="bye").__str__())
    equal("state after sign-out", parse_qs(urlsplit(left).query)["state"], ["bye"])
    gone = refused("a refresh after sign-out", OAuthError,
                   lambda: client.refresh_token(metadata["token_endpoint"], refresh_token=renewed["refresh_token"]))
    equal("error", gone.error, "invalid_grant")
    silent, _ = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, prompt="none")
    equal("error", parse_qs(urlsplit(browser.goes(silent)).query)["error"], ["login_required"])
    verified(f"{name}, {method}: code, ID token, userinfo, refresh, sign-out")


for make in (over_requests, over_httpx):
    for method in ("client_secret_basic", "client_secret_post"):
        code_flow(make, make.__name__, os.environ["WEB_ID"], os.environ["WEB_SECRET"], method,
                  "https://web.example/callback")
    code_flow(make, make.__name__, os.environ["SPA_ID"], None, "none", "https://spa.example/callback")
