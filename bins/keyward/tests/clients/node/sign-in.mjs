// A person's whole way: invited, with a password, a second factor, accounts elsewhere, and shown the door.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as client from 'openid-client';
import { Person, withBrowser } from './browser.mjs';
import { Admin, base, keyward } from './keyward.mjs';
import { asked, comesBack, discover } from './relying-party.mjs';
import { samlProvider } from './saml-provider.mjs';

const ROOT = { email: 'root@platform.example', password: 'marble otter lantern 41' };
const GRACE = { email: 'grace@acme.example', password: 'quiet harbour violin 73' };
const SECRET = 's3cret of 32 bytes, at least + %!';

const verified = (what) => console.log(`verified: ${what}`);

async function firstAdministrator(browser) {
  const link = keyward('admin', 'setup-link');
  const root = await Person.with(browser);
  await root.goes(link);
  await root.sees('Make the first administrator');
  assert.ok(!root.page.url().includes('kwb_'), 'the code stays in the address');
  await root.types('E-mail', ROOT.email);
  await root.types('Password', ROOT.password);
  await root.presses('Create administrator');
  await root.sees('Your organisation asks for a second step');
  await root.goes(`${base}/console/account`);
  await root.sees('Sign in', 'Continue');
  verified('without the second factor that policy asks for there is no session');

  await root.signsInHere(ROOT.email, ROOT.password);
  await root.sees('Set up two-step sign-in');
  await root.types('6-digit code', '12345');
  await root.presses('Verify and turn on');
  await root.sees('This code is not right.');
  await root.enrols();
  await root.sees('My account', ROOT.email, 'Super admin of', '10 of 10 left', 'so it can be replaced, not turned off');
  await root.misses('Turn off');
  await root.signsOut();
  verified('the setup link makes the first administrator, with a second factor');

  await root.goes(link);
  await root.sees('This code was used');
  await root.leaves();
  verified('the setup link is good once');
}

async function invitation(browser, admin, acme) {
  await admin.creates('users', { email: GRACE.email, name: 'Grace Hopper', tenant_id: acme.id });
  const link = keyward('admin', 'password-link', '--email', GRACE.email);
  const grace = await Person.with(browser);
  await grace.goes(link);
  await grace.sees('Choose a password');
  assert.ok(!grace.page.url().includes('kwb_'), 'the code stays in the address');
  await grace.types('New password', 'short');
  await grace.presses('Save password');
  await grace.sees('Choose a password', 'You were invited to Keyward.');
  await grace.types('New password', GRACE.password);
  await grace.presses('Save password');
  await grace.sees('Your password is set. Sign in with it.', GRACE.email);
  await grace.types('Password', 'not the password');
  await grace.presses('Sign in');
  await grace.sees('The e-mail address or the password is wrong.');
  await grace.types('Password', GRACE.password);
  await grace.presses('Sign in');
  await grace.sees('My account', 'Grace Hopper', 'Staff of', 'Signs in with', 'Off');
  verified('an invitation becomes a password, and the password a session');

  const again = await Person.with(browser);
  await again.goes(link);
  await again.types('New password', 'another password altogether');
  await again.presses('Save password');
  await again.sees('This link no longer works');
  await again.leaves();
  verified('an invitation is good once');
  return grace;
}

async function secondFactor(grace) {
  await grace.follows('Set up');
  const { app, codes } = await grace.enrols();
  await grace.sees('My account', 'Authenticator app', '10 of 10 left');
  await grace.signsOut();
  await grace.signsIn(base, GRACE.email, GRACE.password);
  await grace.sees('Two-step sign-in', 'From your authenticator app.');
  for (const wrong of [app.wrong(), app.spent()]) {
    await grace.types('6-digit code', wrong);
    await grace.presses('Verify');
    await grace.sees('This code is not right.');
  }
  await grace.types('6-digit code', await app.code());
  await grace.presses('Verify');
  await grace.sees('My account', 'Password and code');
  verified('a code of the app signs in, and neither a wrong one nor one that was used');

  await grace.signsOut();
  await grace.signsIn(base, GRACE.email, GRACE.password);
  await grace.follows('Use a recovery code instead');
  await grace.types('Recovery code', codes[0]);
  await grace.presses('Verify');
  await grace.sees('My account', '9 of 10 left', 'Password and recovery code');
  await grace.signsOut();
  await grace.signsIn(base, GRACE.email, GRACE.password);
  await grace.follows('Use a recovery code instead');
  await grace.types('Recovery code', codes[0]);
  await grace.presses('Verify');
  await grace.sees('This code is not right.');
  await grace.types('Recovery code', codes[1]);
  await grace.presses('Verify');
  await grace.sees('My account', '8 of 10 left');
  verified('each recovery code signs in once');
}

async function revocation(grace, admin) {
  const user = await admin.user(GRACE.email);
  assert.equal(await admin.endsSessionsOf(user), 1);
  await grace.goes(`${base}/console/account`);
  await grace.sees('Sign in', 'Continue');
  await grace.misses('Grace Hopper');
  await grace.leaves();
  verified('a session that an administrator ends is gone with the next click');
}

async function role(admin, tenant, name) {
  const resource = `${tenant.slug}-orders`;
  await admin.creates('permissions', { resource, view: `read:${resource}`, change: [] });
  return admin.creates('roles', { name, tenant_id: tenant.id, permissions: [`read:${resource}`] });
}

// An application of the tenant's, for whose sake somebody new goes through a provider: it names the provider itself.
async function throughProvider(browser, admin, tenant, provider, expected) {
  const redirectUri = `https://${tenant.slug}.example/callback`;
  const given = { type: 'spa', tenant_id: tenant.id, client_id: 'shop', redirect_uris: [redirectUri] };
  const { client_id: id } = await admin.creates('applications', given);
  const config = await discover(base, id, client.None());
  const person = await Person.with(browser);
  const request = await asked(config, redirectUri, 'openid email', { idp_hint: provider });
  const callback = await comesBack(person, redirectUri, () => person.goes(request.address));
  const reply = await client.authorizationCodeGrant(config, callback, { ...request.checks, idTokenExpected: true });
  assert.equal(reply.claims().email, expected);
  assert.deepEqual(reply.claims().amr, ['fed']);
  await person.leaves();
  verified(`an application of ${tenant.name} has its people signed in elsewhere`);
}

// Somebody who is stopped on the way to an application to set up a second factor arrives there all the same.
async function forApplication(browser, admin) {
  const email = 'lin@acme.example';
  await admin.creates('users', { email, name: 'Lin', admin_role: 'super_admin' });
  const lin = await Person.with(browser);
  await lin.goes(keyward('admin', 'password-link', '--email', email));
  await lin.types('New password', GRACE.password);
  await lin.presses('Save password');
  await lin.sees('Your password is set.');

  const redirectUri = 'https://desk.example/callback';
  const given = { type: 'spa', reach: 'global', client_id: 'desk', redirect_uris: [redirectUri] };
  const { client_id: id } = await admin.creates('applications', given);
  const config = await discover(base, id, client.None());
  const request = await asked(config, redirectUri, 'openid');
  await lin.goes(request.address);
  await lin.signsInHere(email, GRACE.password);
  const callback = await comesBack(lin, redirectUri, () => lin.enrols());
  const reply = await client.authorizationCodeGrant(config, callback, { ...request.checks, idTokenExpected: true });
  assert.deepEqual(reply.claims().amr, ['pwd', 'otp', 'mfa']);
  verified('an application has its people enrolled on the way');

  const address = client.buildEndSessionUrl(config, { post_logout_redirect_uri: redirectUri, state: 'bye' });
  await lin.goes(address.href);
  await lin.sees('Sign out?', email);
  const left = await comesBack(lin, redirectUri, () => lin.presses('Sign out'));
  assert.equal(left.searchParams.get('state'), 'bye');
  await lin.goes(`${base}/console/account`);
  await lin.sees('Sign in', 'Continue');
  await lin.leaves();
  verified('an application that shows no ID token has its person asked before they are signed out');
}

// The upstream of OpenID Connect, in a process of its own; it ends with this one.
async function openidProvider(returnUrl) {
  const script = process.env.KEYWARD_TEST_PROVIDER;
  const child = spawn('node', [script, returnUrl], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('http://')) return { issuer: line, ends: () => child.stdin.end() };
  }
  throw new Error('the provider does not say where it listens');
}

async function openid(browser, admin, acme) {
  const support = await role(admin, acme, 'Support');
  const config = {
    issuer: 'http://127.0.0.1:9',
    client_id: 'web:ES256',
    client_secret: SECRET,
    scopes: ['openid', 'email', 'profile', 'groups'],
    email_domains: ['acme.example'],
    create_users: true,
    claim_roles: { groups: { staff: [support.id] } },
  };
  const given = { name: 'Acme login', kind: 'oidc', tenant_id: acme.id, config };
  const { id } = await admin.creates('identity-providers', given);
  const provider = await openidProvider(`${base}/sign-in/callback/${id}`);
  // Only now is it known where the provider listens.
  const moved = { issuer: provider.issuer, client_secret: SECRET };
  await admin.calls('PATCH', `identity-providers/${id}`, { config: moved });

  const ada = await Person.with(browser);
  const arrives = async () => {
    await ada.goes(`${base}/console/sign-in`);
    await ada.misses('Acme login');
    await ada.types('E-mail', 'ada@acme.example');
    await ada.presses('Continue');
    await ada.follows('Continue with Acme login');
  };
  await arrives();
  await ada.sees('My account', 'Ada Lovelace', 'ada@acme.example', 'Staff of Acme', 'Support', 'Identity provider');
  await ada.sees('You sign in with Acme login, so there is no password here.');
  verified('somebody new arrives through oidc-provider, with the role that a claim comes to');

  await throughProvider(browser, admin, acme, id, 'ada@acme.example');

  const user = await admin.user('ada@acme.example');
  await admin.calls('PUT', `users/${user.id}/roles`, { roles: [] });
  await ada.signsOut();
  await arrives();
  await ada.sees('My account', 'Support');
  assert.deepEqual((await admin.user('ada@acme.example')).roles, [support.id]);
  verified('the same person arrives again, with the roles that the provider says');

  assert.equal(await admin.endsSessionsOf(user), 2);
  await ada.goes(`${base}/console/account`);
  await ada.sees('Sign in', 'Continue');
  await admin.calls('PATCH', `users/${user.id}`, { status: 'disabled' });
  await arrives();
  await ada.sees('This did not work');
  await ada.misses('My account');
  const failed = await admin.calls('GET', `audit?action=sign_in.failed&resource=${id}`);
  assert.equal(failed.data[0].tenant_id, acme.id, 'administrators of the tenant see it');
  await ada.leaves();
  provider.ends();
  verified('who is disabled here does not come in from there');
}

async function saml(browser, admin, globex) {
  const crew = await role(admin, globex, 'Crew');
  const { PROVIDER_KEY, PROVIDER_CERTIFICATE } = process.env;
  const provider = await samlProvider(PROVIDER_KEY, PROVIDER_CERTIFICATE);
  const config = {
    ...provider.config,
    email_domains: ['globex.example'],
    create_users: true,
    attribute_roles: { group: { builders: [crew.id] } },
  };
  const given = { name: 'Globex login', kind: 'saml', tenant_id: globex.id, config };
  const { id } = await admin.creates('identity-providers', given);
  provider.serves({
    metadata: `${base}/sign-in/saml/${id}/metadata`,
    callback: `${base}/sign-in/callback/${id}`,
  });

  for (const javaScriptEnabled of [true, false]) {
    const bob = await Person.with(browser, { javaScriptEnabled });
    await bob.goes(`${base}/console/sign-in`);
    await bob.types('E-mail', 'bob@globex.example');
    await bob.presses('Continue');
    await bob.follows('Continue with Globex login');
    if (!javaScriptEnabled) {
      await bob.sees('Globex knows you');
      await bob.presses('Back to Keyward');
      await bob.sees('One more step', 'Your identity provider has answered.');
      await bob.presses('Continue');
    }
    await bob.sees('My account', 'Bob Builder', 'bob@globex.example', 'Staff of Globex', 'Crew');
    verified(`somebody arrives through samlify, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`);
    const user = await admin.user('bob@globex.example');
    assert.equal(await admin.endsSessionsOf(user), 1);
    await bob.goes(`${base}/console/account`);
    await bob.sees('Sign in', 'Continue');
    await bob.leaves();
  }
  await throughProvider(browser, admin, globex, id, 'bob@globex.example');
}

await withBrowser(async (browser) => {
  await firstAdministrator(browser);
  const admin = new Admin(ROOT.email);
  const acme = await admin.creates('tenants', { name: 'Acme', slug: 'acme' });
  const globex = await admin.creates('tenants', { name: 'Globex', slug: 'globex' });
  const grace = await invitation(browser, admin, acme);
  await secondFactor(grace);
  await revocation(grace, admin);
  await forApplication(browser, admin);
  await openid(browser, admin, acme);
  await saml(browser, admin, globex);
});
