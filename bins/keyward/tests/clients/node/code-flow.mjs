// openid-client as a relying party, and a person in a browser who signs in for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as client from 'openid-client';
import { Person, withBrowser } from './browser.mjs';
import { asked, comesBack, discover } from './relying-party.mjs';

const env = process.env;
const SCOPE = `openid profile email offline_access ${env.EXPECT_SCOPE}`;
const verified = (what) => console.log(`verified: ${what}`);
const sorted = (text) => text.split(' ').sort();

async function tokens(config, callback, checks) {
  const reply = await client.authorizationCodeGrant(config, callback, { ...checks, idTokenExpected: true, maxAge: 600 });
  const claims = reply.claims();
  assert.equal(claims.email, env.EMAIL);
  assert.equal(claims.name, env.NAME);
  assert.deepEqual(claims.amr, ['pwd']);
  assert.ok(claims.sid && claims.auth_time, 'sid and auth_time');
  assert.deepEqual(sorted(reply.scope), sorted(SCOPE));
  const person = await client.fetchUserInfo(config, reply.access_token, claims.sub);
  assert.equal(person.email, env.EMAIL);
  assert.equal(person.preferred_username, env.EMAIL);
  return reply;
}

async function refreshed(config, before) {
  const reply = await client.refreshTokenGrant(config, before.refresh_token);
  assert.notEqual(reply.refresh_token, before.refresh_token, 'the refresh token is another');
  assert.notEqual(reply.access_token, before.access_token);
  assert.equal(reply.claims().sub, before.claims().sub);
  const narrow = await client.refreshTokenGrant(config, reply.refresh_token, { scope: 'openid email' });
  assert.ok(!narrow.scope.split(' ').includes(env.EXPECT_SCOPE), `less was asked for: ${narrow.scope}`);
  return narrow;
}

async function signedOut(config, person, redirectUri, last) {
  const address = client.buildEndSessionUrl(config, {
    id_token_hint: last.id_token,
    post_logout_redirect_uri: redirectUri,
    state: 'after sign-out',
  });
  const back = await comesBack(person, redirectUri, () => person.goes(address.href));
  assert.equal(back.searchParams.get('state'), 'after sign-out');
  const silent = await asked(config, redirectUri, SCOPE, { prompt: 'none' });
  const refused = await comesBack(person, redirectUri, () => person.goes(silent.address));
  await assert.rejects(tokens(config, refused, silent.checks), { error: 'login_required' });
  await assert.rejects(client.refreshTokenGrant(config, last.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(client.fetchUserInfo(config, last.access_token, last.claims().sub), { status: 401 });
}

// A web application or one in the browser: the person signs in once, and a second time nobody asks.
async function application(browser, kind, id, authentication) {
  const redirectUri = `https://${kind}.example/callback`;
  const config = await discover(env.KEYWARD_URL, id, authentication);
  const person = await Person.with(browser);
  const first = await asked(config, redirectUri, SCOPE, { login_hint: env.EMAIL });
  const callback = await comesBack(person, redirectUri, async () => {
    await person.goes(first.address);
    assert.equal(await person.reads('E-mail'), env.EMAIL, 'the hint');
    await person.signsInHere(env.EMAIL, env.PASSWORD);
  });
  await tokens(config, callback, first.checks);
  const second = await asked(config, redirectUri, SCOPE, { prompt: 'none' });
  const silent = await comesBack(person, redirectUri, () => person.goes(second.address));
  const reply = await tokens(config, silent, second.checks);
  // A code is good once; whoever brings it again ends what came of it.
  const third = await asked(config, redirectUri, SCOPE);
  const twice = await comesBack(person, redirectUri, () => person.goes(third.address));
  const lost = await tokens(config, twice, third.checks);
  await assert.rejects(tokens(config, twice, third.checks), { error: 'invalid_grant' });
  await assert.rejects(client.refreshTokenGrant(config, lost.refresh_token), { error: 'invalid_grant' });
  const fourth = await asked(config, redirectUri, SCOPE);
  const wrong = await comesBack(person, redirectUri, () => person.goes(fourth.address));
  const verifier = { ...fourth.checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  await assert.rejects(tokens(config, wrong, verifier), { error: 'invalid_grant' });
  await signedOut(config, person, redirectUri, await refreshed(config, reply));
  await person.leaves();
  verified(`${kind}: code, ID token, userinfo, refresh, sign-out`);
}

// An application on the person's device, on whatever port it gets; the person is asked.
async function native(browser) {
  const server = createServer((_request, response) => response.end('You may close this window.'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const redirectUri = `http://127.0.0.1:${server.address().port}/callback`;
  const config = await discover(env.KEYWARD_URL, env.NATIVE_ID, client.None());
  const person = await Person.with(browser);
  const no = await asked(config, redirectUri, SCOPE);
  await person.goes(no.address);
  await person.signsInHere(env.EMAIL, env.PASSWORD);
  await person.sees('It asks to act for you', env.EXPECT_SCOPE, 'a program on this computer');
  const denied = await comesBack(person, redirectUri, () => person.presses('Deny'));
  await assert.rejects(tokens(config, denied, no.checks), { error: 'access_denied' });
  const yes = await asked(config, redirectUri, SCOPE);
  await person.goes(yes.address);
  const allowed = await comesBack(person, redirectUri, () => person.presses('Allow'));
  await person.sees('You may close this window.');
  await tokens(config, allowed, yes.checks);
  const known = await asked(config, redirectUri, SCOPE);
  const again = await comesBack(person, redirectUri, () => person.goes(known.address));
  await tokens(config, again, known.checks);
  await person.leaves();
  server.close();
  verified('native: consent once, on any port of loopback');
}

await withBrowser(async (browser) => {
  await application(browser, 'web', env.WEB_ID, client.ClientSecretBasic(env.WEB_SECRET));
  await application(browser, 'web', env.WEB_ID, client.ClientSecretPost(env.WEB_SECRET));
  await application(browser, 'spa', env.SPA_ID, client.None());
  await native(browser);
});
