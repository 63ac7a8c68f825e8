// What every client must find. The test says it in the environment, and no client is told more than an issuer.
import assert from 'node:assert/strict';

const env = process.env;
export const issuer = env.KEYWARD_URL;
export const clientId = env.CLIENT_ID;
export const clientSecret = env.CLIENT_SECRET;
export const wrongSecret = `kws_test_${'0'.repeat(43)}1f86zh`;
export const scope = env.EXPECT_SCOPE;
export const alg = env.EXPECT_ALG ?? 'ES256';
export const audience = `${issuer}/api`;
// The tenant's identifier; nothing for a client of the whole platform.
const tenant = env.EXPECT_TENANT || undefined;

// A request that is never answered must not hold up the tests.
setTimeout(() => {
  console.error('no result within 60 s');
  process.exit(1);
}, 60_000).unref();

export function verified(what) {
  console.log(`verified: ${what}`);
}

const sorted = (text) => text.split(' ').sort();

export function checkReply(reply) {
  assert.equal(reply.token_type, 'bearer');
  assert.deepEqual(sorted(reply.scope), sorted(scope), 'scope of the reply');
}

// The claims that no library checks by itself.
export function checkClaims(claims) {
  assert.equal(claims.iss, issuer);
  assert.equal(claims.client_id, clientId);
  assert.equal(claims.sub, clientId);
  assert.deepEqual(sorted(claims.scope), sorted(scope), 'scope');
  assert.equal(claims.tenant_id, tenant);
  assert.deepEqual(claims.tenants, tenant && [tenant]);
  assert.ok(claims.jti && claims.env && claims.exp > claims.iat, 'jti, env, exp, iat');
}

export function checkIntrospection(reply) {
  assert.equal(reply.active, true);
  assert.equal(reply.token_type, 'Bearer');
  assert.equal(reply.aud, audience);
  checkClaims(reply);
}
