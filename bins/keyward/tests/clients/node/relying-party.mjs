// openid-client as a relying party of Keyward's.
import * as client from 'openid-client';

export async function discover(issuer, id, authentication) {
  // The server under test is on loopback, without TLS. Signatures are checked although they came straight from it.
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
  return client.discovery(new URL(issuer), id, undefined, authentication, { execute });
}

// An authorization request, and what its answer is checked with.
export async function asked(config, redirectUri, scope, more = {}) {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...more,
  });
  return { address: address.href, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } };
}

// Where the browser comes back to: an address that is nobody's here, so it is enough that the browser wants to go there.
export async function comesBack(person, redirectUri, doing) {
  const back = person.page.waitForRequest((request) => request.url().startsWith(redirectUri));
  // The browser says that it can't go there.
  const done = doing().catch((error) => {
    if (!String(error).includes('ERR_NAME_NOT_RESOLVED')) throw error;
  });
  const [request] = await Promise.all([back, done]);
  // What it says must not get in the way of the next page.
  const isThere = () => ['chrome-error:', redirectUri].some((start) => person.page.url().startsWith(start));
  while (!isThere()) await person.page.waitForTimeout(20);
  if (person.page.url().startsWith('chrome-error:')) await person.page.goto('about:blank');
  return new URL(request.url());
}
