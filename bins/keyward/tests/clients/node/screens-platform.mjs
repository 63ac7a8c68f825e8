// Partners, tenants, identity providers, settings and the log, as somebody uses them who goes by what they see.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Person } from './browser.mjs';
import { base, keyward } from './keyward.mjs';

const PASSWORD = 'quiet harbour violin 73';
const SECRET = 's3cret of 32 bytes, at least + %!';

async function everywhere(person) {
  await person.goes(`${base}/console/switch`);
  await person.follows('All tenants');
}

async function partners(person, { one }) {
  const [name, again] = [one('Northwind'), one('Southwind')];
  await everywhere(person);
  await person.visits('Partners');
  await person.adds('Add partner');
  await person.types('Name', name);
  await person.types('Slug', one('northwind'));
  await person.types('Tenants at most', '1');
  await person.presses('Save');
  await person.follows('Add tenant');
  await person.types('Name', 'Inside');
  await person.types('Slug', one('inside'));
  await person.presses('Save');
  await person.sees('Publishable key');
  await everywhere(person);
  await person.visits('Partners');
  await person.follows(name);
  await person.sees('1 of 1');
  await person.follows('Add tenant');
  await person.types('Name', 'One too many');
  await person.types('Slug', one('toomany'));
  await person.presses('Save');
  await person.sees("The partner's limit of 1 tenants is reached.");
  await person.visits('Partners');
  await person.follows(`Edit ${name}`);
  await person.types('Name', again);
  await person.chooses('Status', 'suspended');
  await person.presses('Save');
  await person.sees(again, 'Suspended');
  await person.follows('Delete');
  await person.presses(`Delete ${again}`);
  await person.sees('tenant');
}

async function tenants(person, { one }) {
  const [name, slug] = [one('Initech'), one('initech')];
  await everywhere(person);
  await person.visits('Tenants');
  await person.adds('Add tenant');
  await person.types('Name', name);
  await person.types('Slug', 'No Slug');
  await person.presses('Save');
  await person.sees('Slug must be');
  await person.types('Slug', slug);
  await person.presses('Save');
  await person.sees('Publishable key');
  const key = await person.reads('Publishable key');
  await person.follows('Replace key');
  await person.presses('Replace key');
  assert.notEqual(await person.reads('Publishable key'), key);
  await person.follows('Edit');
  await person.types('Name', `${name} Ltd`);
  await person.types('Contact', 'ops@initech.example');
  await person.chooses('Status', 'suspended');
  await person.presses('Save');
  await person.sees('ops@initech.example', 'Suspended');
  await person.deletes(`${name} Ltd`);
  await person.goes(`${base}/console/switch`);
  await person.filters('Search', slug);
  await person.sees('No tenant matches.');
  await person.filters('Search', 'acme');
  await person.picks('Acme');
  await person.sees('Acme');
}

async function providers(person, { one, browser, scripted }) {
  const name = one('Acme login');
  await person.visits('Identity providers');
  await person.adds('Add identity provider');
  await person.follows('Another OpenID Connect provider');
  await person.misses('Metadata');
  await person.types('Name', name);
  await person.types('Issuer', 'http://127.0.0.1:9');
  await person.types('Client ID', 'web:ES256');
  await person.types('Client secret', SECRET);
  await person.types('Further scopes', 'email\nprofile');
  await person.presses('Save');
  await person.presses('Check configuration');
  await person.sees('Failed');
  const upstream = spawn('node', [process.env.KEYWARD_TEST_PROVIDER, await person.reads('Redirect URI')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: upstream.stdout })[Symbol.asyncIterator]();
  let issuer = '';
  while (!issuer.startsWith('http://')) issuer = (await lines.next()).value;
  await person.follows('Edit');
  await person.types('Issuer', issuer);
  await person.types('Client secret', SECRET);
  await person.presses('Save');
  await person.presses('Check configuration');
  await person.sees('Passed');
  await person.misses('Failed');
  await person.follows('Test sign-in');
  await person.sees('What the account would become', 'Ada Lovelace', 'ada@acme.example');
  await person.follows('Test again');
  await person.sees('What the account would become', 'OpenID Connect');
  await person.picks('Settings');
  await person.deletes(name);
  await person.misses(name);
  upstream.stdin.end();
}

// Somebody of a tenant who has chosen a password, signed in.
async function somebody(person, browser, email, scripted) {
  await person.visits('Users');
  await person.adds('Add user');
  await person.types('E-mail', email);
  await person.presses('Save');
  const link = keyward('admin', 'password-link', '--email', email);
  const other = await Person.with(browser, { javaScriptEnabled: scripted });
  await other.goes(link);
  if (!scripted) await other.types('Code of the link', new URL(link).hash.slice(1));
  await other.types('New password', PASSWORD);
  await other.presses('Save password');
  await other.types('Password', PASSWORD);
  await other.presses('Sign in');
  await other.sees('My account');
  return other;
}

async function sessions(person, { one, browser, scripted }) {
  const email = `${one('sam')}@acme.example`;
  const sam = await somebody(person, browser, email, scripted);
  await person.visits('Sessions');
  await person.row(email).getByRole('link', { name: 'Revoke' }).click();
  await person.presses('Revoke session');
  await sam.goes(`${base}/console/account`);
  await sam.sees('Sign in', 'Continue');
  await sam.leaves();
}

async function account(person, { one, browser, scripted }) {
  const email = `${one('tess')}@acme.example`;
  const tess = await somebody(person, browser, email, scripted);
  await tess.follows('Set up');
  const { app } = await tess.enrols();
  await tess.sees('10 of 10 left');
  await tess.presses('New recovery codes');
  await tess.sees('Store your recovery codes');
  await tess.ticks('I have stored them in a safe place');
  await tess.presses('Done');
  await tess.chooses('Colours', { label: 'Dark' });
  await tess.chooses('Rows', { label: 'Compact' });
  await tess.presses('Save');
  assert.equal(await tess.page.locator('html').getAttribute('data-theme'), 'dark');
  const elsewhere = await Person.with(browser, { javaScriptEnabled: scripted });
  await elsewhere.signsIn(base, email, PASSWORD);
  await elsewhere.types('6-digit code', await app.code());
  await elsewhere.presses('Verify');
  await elsewhere.goes(`${base}/console/account`);
  await tess.goes(`${base}/console/account`);
  await tess.follows('Sign out everywhere else');
  await tess.presses('Sign out everywhere else');
  await elsewhere.goes(`${base}/console/account`);
  await elsewhere.sees('Sign in', 'Continue');
  await elsewhere.signsIn(base, email, PASSWORD);
  await elsewhere.types('6-digit code', await app.code());
  await elsewhere.presses('Verify');
  await elsewhere.sees('My account');
  await tess.goes(`${base}/console/account`);
  const sessions = tess.page.getByRole('table').filter({ hasText: 'This device' }).getByRole('row');
  assert.equal(await sessions.count(), 3, 'the heads, this session, and the other');
  await tess.types('Current password', 'not the password');
  await tess.types('New password', 'another garden ladder 19');
  await tess.presses('Change password');
  await tess.sees('This is not your present password.');
  await tess.types('Current password', PASSWORD);
  await tess.types('New password', 'another garden ladder 19');
  await tess.presses('Change password');
  await sessions.nth(2).waitFor({ state: 'detached' });
  assert.equal(await sessions.count(), 2, 'the heads, and this session alone');
  await elsewhere.goes(`${base}/console/account`);
  await elsewhere.sees('Sign in', 'Continue');
  await elsewhere.leaves();
  await tess.follows('Turn off');
  await tess.presses('Turn off two-step sign-in');
  await tess.picks('Set up');
  await tess.sees('Set up two-step sign-in');
  await tess.follows('Cancel');
  await tess.signsOut();
  await tess.leaves();
}

async function log(person, { scripted }) {
  await person.visits('Audit log');
  await person.presses('Verify');
  await person.sees('Nothing was changed');
  await person.visits('Audit log');
  const saved = person.page.waitForEvent('download');
  await person.follows('Export CSV');
  const text = readFileSync(await (await saved).path(), 'utf8');
  assert.match(text, /tenant\.created/);
  await person.chooses('Action', { label: 'Tenant created' });
  await person.presses('Filter');
  await person.sees('Clear filters');
  assert.equal(await person.row('tenant.created').count(), 1);
  assert.equal(await person.row('user.created').count(), 0);
  await person.follows('Clear filters');
  await person.filters('Who: e-mail, client or ID', 'root@platform.example');
  await person.sees('User created');
  if (scripted) {
    await person.visits('Audit log');
    await person.follows('Live tail');
    const newest = () => document.querySelector('tbody a').href;
    const before = await person.page.evaluate(newest);
    keyward('admin', 'password-link', '--email', 'pia@acme.example');
    await person.page.waitForFunction((known) => document.querySelector('tbody a').href !== known, before);
  }
}

async function policy(person) {
  await everywhere(person);
  await person.visits('Sign-in policy');
  await person.follows('Edit');
  await person.ticks('Partner admin');
  await person.types('A session ends without use after (minutes)', '30');
  await person.presses('Review changes');
  await person.sees('+ Two-step sign-in required: Partner admin.', '30 minutes instead of 60 minutes');
  await person.presses('Save');
  await person.awaits('saved it on');
  await person.follows('Edit');
  await person.ticks('As the configuration has it');
  await person.presses('Review changes');
  await person.sees('The configuration counts again.');
  await person.presses('Save');
  await person.awaits('It is that of the configuration.');
}

async function system(person) {
  await everywhere(person);
  await person.visits('System');
  await person.sees('Ready', 'environment KEYWARD_HTTP__BIND');
  await person.follows('Rotate signing keys');
  await person.presses('Rotate signing keys');
  await person.sees('published', 'in 5 minutes');
}

async function dashboard(person) {
  // Something to count.
  await fetch(`${base}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'acme.nobody', client_secret: 'x' }),
  });
  await everywhere(person);
  await person.visits('Dashboard');
  await person.sees('Tokens per hour', 'Sign-ins per hour', 'Latest');
  await person.page.getByText('Show as table').first().click();
  await person.page.getByRole('link', { name: /API clients? expired/ }).click();
  await person.page.waitForURL(/state=|expired/);
  await person.goes(`${base}/console/get-started`);
  await person.sees('Each step ticks itself when it really happened.', 'Done');
}

async function errors(person) {
  await person.goes(`${base}/console/t/acme/users/usr_00000000000000000000000000`);
  await person.sees('Not found', 'Request');
  await person.goes(`${base}/console/t/nobody/users`);
  await person.sees('Not found');
}

export const platform = {
  Partners: partners,
  'Tenants and their settings': tenants,
  'Identity providers': providers,
  Sessions: sessions,
  'My account': account,
  'Audit log': log,
  'Sign-in policy': policy,
  System: system,
  'Dashboard and Get started': dashboard,
  Errors: errors,
};
