// openid-client: the same flows as an application would write them.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import * as expected from './expected.mjs';
import { verify } from './jose.mjs';

function discover(algorithm, auth) {
  // The server under test is on loopback, without TLS.
  const options = { algorithm, execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(expected.issuer), expected.clientId, undefined, auth, options);
}

const grant = (config) => client.clientCredentialsGrant(config, { scope: expected.scope });

for (const algorithm of ['oauth2', 'oidc']) {
  for (const kind of ['ClientSecretBasic', 'ClientSecretPost']) {
    const config = await discover(algorithm, client[kind](expected.clientSecret));
    const reply = await grant(config);
    const token = reply.access_token;
    expected.checkReply(reply);
    assert.ok(reply.expiresIn() > 0, 'expiresIn');
    await verify(token, config.serverMetadata().jwks_uri);
    expected.verified(`${algorithm}, ${kind}: discovery and token`);

    expected.checkIntrospection(await client.tokenIntrospection(config, token));
    await client.tokenRevocation(config, token);
    assert.deepEqual(await client.tokenIntrospection(config, token), { active: false });
    expected.verified(`${algorithm}, ${kind}: introspection and revocation`);
  }
  const config = await discover(algorithm, client.ClientSecretPost(expected.wrongSecret));
  await assert.rejects(grant(config), { error: 'invalid_client', status: 401 });
  expected.verified('a wrong secret is refused');
}
