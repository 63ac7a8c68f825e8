// A provider of OpenID Connect that knows one person and signs her in without a question. It prints its issuer when it
// listens, and speaks to nobody but the tests.
// Arguments: the address at which clients take the answer. Variables: AUTH_METHODS, how clients may authenticate; CLAIMS,
// `id_token` to have all claims there.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';

// What it warns of, such as that it forgets everything, is meant for others.
console.warn = console.info = () => {};

const require = createRequire(`${process.env.KEYWARD_TEST_NODE_DIR}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const [returnUrl] = process.argv.slice(2);
const methods = (process.env.AUTH_METHODS ?? 'client_secret_basic,client_secret_post,none').split(',');
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];

const key = (type, options, members) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', ...members };
};
const client = (id, method, algorithm) => ({
  client_id: id,
  ...(method === 'none' ? {} : { client_secret: 's3cret of 32 bytes, at least + %!' }),
  redirect_uris: [returnUrl],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: method,
  id_token_signed_response_alg: algorithm,
});
const ada = {
  sub: '248289761001',
  name: 'Ada Lovelace',
  email: 'ada@acme.example',
  email_verified: true,
  groups: ['staff', 'admins'],
};

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { kid: 'rsa' }),
      key('ec', { namedCurve: 'P-256' }, { kid: 'p-256' }),
      key('ec', { namedCurve: 'P-384' }, { kid: 'p-384' }),
      key('ed25519', {}, { kid: 'ed' }),
    ],
  },
  clients: [
    ...algorithms.map((algorithm) => client(`web:${algorithm}`, 'client_secret_basic', algorithm)),
    client('post', 'client_secret_post', 'ES256'),
    client('public', 'none', 'ES256'),
  ].filter((known) => methods.includes(known.token_endpoint_auth_method)),
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  clientAuthMethods: methods,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  conformIdTokenClaims: process.env.CLAIMS !== 'id_token',
  findAccount: (_context, id) => ({ accountId: id, claims: () => ada }),
  // Nobody is asked for consent.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  cookies: { keys: ['of the tests'] },
});

provider.on('server_error', (_context, error) => console.error(error));
const answer = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { prompt } = await provider.interactionDetails(request, response);
  const result = prompt.name === 'login' ? { login: { accountId: ada.sub } } : { error: 'access_denied' };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});
// A test that ends takes its provider along.
process.stdin.resume().on('end', () => process.exit());
console.log(issuer);
