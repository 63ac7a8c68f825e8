// oauth4webapi: percent-encodes `.`, `_` and `-` of both halves of Basic credentials, as RFC 6749 has it.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import * as expected from './expected.mjs';
import { verify } from './jose.mjs';

// The server under test is on loopback, without TLS.
const http = { [oauth.allowInsecureRequests]: true };
const client = { client_id: expected.clientId };
const parameters = { scope: expected.scope };

async function discover(algorithm) {
  const issuer = new URL(expected.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...http });
  return oauth.processDiscoveryResponse(issuer, response);
}

async function grant(server, auth) {
  const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, http);
  assert.equal(response.headers.get('cache-control'), 'no-store', 'cache-control');
  return oauth.processClientCredentialsResponse(server, client, response);
}

async function introspect(server, auth, token) {
  const response = await oauth.introspectionRequest(server, client, auth, token, http);
  return oauth.processIntrospectionResponse(server, client, response);
}

for (const algorithm of ['oauth2', 'oidc']) {
  const server = await discover(algorithm);
  expected.verified(`discovery, ${algorithm}`);
  for (const kind of ['ClientSecretBasic', 'ClientSecretPost']) {
    const auth = oauth[kind](expected.clientSecret);
    const reply = await grant(server, auth);
    const token = reply.access_token;
    expected.checkReply(reply);
    await verify(token, server.jwks_uri);
    const request = new Request(expected.audience, { headers: { authorization: `Bearer ${token}` } });
    const options = { signingAlgorithms: [expected.alg], ...http };
    const claims = await oauth.validateJwtAccessToken(server, request, expected.audience, options);
    assert.equal(claims.exp - claims.iat, reply.expires_in, 'expires_in');
    expected.verified(`${kind}: token, valid by RFC 9068`);

    expected.checkIntrospection(await introspect(server, auth, token));
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, token, http));
    assert.deepEqual(await introspect(server, auth, token), { active: false });
    expected.verified(`${kind}: introspection and revocation`);
  }
  // To Basic the refusal is a challenge, to a secret in the body an error in the body.
  await assert.rejects(grant(server, oauth.ClientSecretBasic(expected.wrongSecret)), (error) => {
    assert.equal(error.code, oauth.WWW_AUTHENTICATE_CHALLENGE);
    return error.status === 401 && error.cause[0].scheme === 'basic';
  });
  const inBody = grant(server, oauth.ClientSecretPost(expected.wrongSecret));
  await assert.rejects(inBody, { error: 'invalid_client', status: 401 });
  expected.verified('a wrong secret is refused');
}
