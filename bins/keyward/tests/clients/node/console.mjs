// The console, by what can be seen of it: somebody who has read nothing begins at the first-run link, and gets everything
// done. Then the same once more without JavaScript, and a look at every page by the checker of accessibility.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HOST, Person, withBrowser } from './browser.mjs';
import { Admin, base, keyward } from './keyward.mjs';

const ROOT = { email: 'root@platform.example', password: 'marble otter lantern 41' };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = process.env.SCREENSHOTS;
mkdirSync(folder, { recursive: true });

// Widths and colours of a look at a page: each of both is looked at everywhere.
const LOOKS = [[1440, 'light'], [900, 'dark'], [360, 'light'], [360, 'dark']];

const verified = (what) => console.log(`verified: ${what}`);

async function firstRun(browser) {
  const root = await Person.with(browser, { viewport: { width: 1440, height: 900 } });
  await root.goes(keyward('admin', 'setup-link'));
  await root.types('E-mail', ROOT.email);
  await root.types('Password', ROOT.password);
  await root.presses('Create administrator');
  const { app } = await root.enrols();
  await root.sees('Get started', 'Add a tenant', 'Add an API client', 'Obtain a token');
  verified('the first-run link ends where one sees what to do first');
  return { root, app };
}

async function token(client, secret) {
  return fetch(`${base}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
}

async function tenant(root, name, slug) {
  await root.follows('Add tenant');
  await root.types('Name', name);
  await root.types('Slug', slug);
  await root.presses('Save');
  await root.sees('Publishable key', 'Token endpoint', name);
  assert.match(await root.reads('Publishable key'), /^kwt_live_/);
  verified(`tenant ${slug} is added, and its publishable key can be read`);
}

/// Reads a secret from the page that shows it once, and goes on.
async function takes(root, label, scripted) {
  await root.sees('It is shown this once.');
  const secret = await root.reads(label);
  assert.match(secret, /^kws_live_[0-9A-Za-z]{49}$/);
  assert.ok(!root.page.url().includes(secret.slice(9, 30)), 'the secret is in the address');
  const kept = await root.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(secret.slice(9, 30)), 'the secret is kept by the browser');
  const cookies = JSON.stringify(await root.page.context().cookies());
  assert.ok(!cookies.includes(secret.slice(9, 30)), 'the secret is in a cookie');
  if (scripted) {
    const done = root.page.getByRole('link', { name: 'Done', exact: true });
    assert.equal(await done.getAttribute('aria-disabled'), 'true', 'nobody leaves without it by accident');
    await root.ticks('I have stored it');
  }
  return secret;
}

async function client(root, slug, scripted) {
  const id = `${slug}.crm-sync`;
  await root.follows('Add API client');
  await root.types('Client ID', 'crm-sync');
  await root.types('Notes', 'Nightly CRM sync');
  await root.ticks('Users: View');
  await root.ticks('Groups: Change');
  if (scripted) {
    assert.ok(await root.page.getByLabel('Groups: View').isChecked(), 'Change ticks View');
    await root.sees('2 View, 1 Change');
  }
  await root.presses('Save');
  const secret = await takes(root, `Secret of ${id}`, scripted);
  await root.sees('Waiting for the first token request');
  const reply = await token(id, secret);
  assert.equal(reply.status, 200);
  assert.equal((await reply.json()).scope, 'keyward:groups:read keyward:groups:write keyward:users:read');
  if (scripted) {
    await root.sees('It was used to obtain a token.');
    await root.follows('Done');
  } else {
    const opened = root.page.context().waitForEvent('page');
    await root.follows('Look now (new tab)');
    const tab = await opened;
    await tab.getByText('It was used to obtain a token.').waitFor();
    await tab.close();
    assert.equal(await root.reads(`Secret of ${id}`), secret, 'the secret is still there to be stored');
    await root.follows('Done');
  }
  await root.sees('Nightly CRM sync', 'Evidence of use');
  verified(`API client ${id} is added with what was ticked, its secret is shown once, and the page tells of the first token`);
  return secret;
}

async function rotation(root, slug, old, scripted) {
  const id = `${slug}.crm-sync`;
  await root.follows('Rotate secret');
  await root.presses('Rotate secret');
  const secret = await takes(root, `Secret of ${id}`, scripted);
  assert.equal((await token(id, secret)).status, 200);
  await root.follows('Done');
  await root.follows('Secrets');
  await root.sees('The old secret is unused.');
  const hint = old.slice(0, 13);
  await root.follows(`Revoke ${hint}`);
  await root.sees('It stops for good');
  await root.presses(`Revoke ${hint}…`);
  await root.sees('Revoked');
  assert.equal((await token(id, old)).status, 401);
  assert.equal((await token(id, secret)).status, 200);
  verified(`the secret of ${id} is rotated, with proof that the old one is unused`);
}

async function colleague(root, email) {
  await root.follows('Staff');
  await root.follows('Add colleague');
  await root.types('E-mail', email);
  await root.presses('Save');
  await root.sees('No permissions: can sign in, sees nothing.');
  await root.ticks('Users: View');
  await root.presses('Review changes');
  await root.sees('+ keyward:users:read');
  await root.presses('Save');
  await root.sees('direct');
  assert.equal(await root.page.getByRole('row').filter({ hasText: 'direct' }).count(), 1, 'one permission');
  verified(`${email} has exactly one permission`);
}

async function log(root, email) {
  await root.follows('Audit log');
  await root.sees('User roles replaced', 'Role created', 'User created', 'Secret revoked', 'Secret rotated', 'Token issued', 'Application created', email);
  await root.page.getByRole('row').filter({ hasText: 'Secret rotated' }).first().getByRole('link').click();
  await root.sees('Hash', 'More by this actor', ROOT.email);
  verified('all of it is in the audit log');
}

async function story(root, name, slug, email, scripted) {
  await tenant(root, name, slug);
  const secret = await client(root, slug, scripted);
  await rotation(root, slug, secret, scripted);
  await colleague(root, email);
  await log(root, email);
}

// One of everything that has a page, so that there is one to look at.
async function furnish() {
  const admin = new Admin(ROOT.email);
  const tenant = (await admin.calls('GET', 'tenants?slug=acme')).data[0].id;
  const own = { tenant_id: tenant };
  const mia = await admin.user('mia@acme.example');
  const outer = await admin.creates('groups', { name: 'Operators', ...own });
  const inner = await admin.creates('groups', { name: 'Night shift', ...own });
  await admin.calls('POST', `groups/${outer.id}/members`, { user_id: mia.id });
  await admin.calls('POST', `groups/${outer.id}/nested`, { group_id: inner.id });
  await admin.creates('roles', { name: 'Support', permissions: ['keyward:users:read'], ...own });
  await admin.creates('applications', {
    type: 'web', client_id: 'shop', name: 'Shop', redirect_uris: ['https://shop.example/callback'], ...own,
  });
  const key = await admin.creates('api-keys', { name: 'crm-sync-prod', permissions: ['keyward:users:read'], ...own });
  await admin.calls('POST', `api-keys/${key.id}/rotate`, {});
  await admin.creates('agents', { name: 'helper', allowed_tools: ['search'], allowed_scopes: ['keyward:users:read'], ...own });
  const config = { issuer: 'https://login.example.com', client_id: 'keyward', client_secret: 'a secret of 32 bytes or more ...' };
  await admin.creates('identity-providers', { name: 'Acme login', kind: 'oidc', config, ...own });
  await admin.creates('partners', { name: 'Northwind', slug: 'northwind', max_tenants: 5 });
}

/// Every page that a link leads to, each kind of address once: accessible, and not too wide.
async function lookAround(root) {
  const { page } = root;
  const outside = ['dashboard', 'partners', 'tenants', 'switch', 'settings/system', 'settings/security/sign-in-policy', 'account'];
  const waiting = [`${base}/console/t/acme/dashboard`, ...outside.map((path) => `${base}/console/${path}`)];
  const kind = (href) => href.replace(/#.*/, '').replaceAll(/_[0-9a-z]{26}/g, '_').replaceAll(/=[^&]*/g, '');
  const seen = new Set(waiting.map(kind));
  const faults = [];
  let looked = 0;
  while (waiting.length > 0) {
    await page.goto(waiting.shift());
    const links = await page.evaluate(() => [...document.querySelectorAll('a[href^="/console"]')].map((link) => link.href));
    for (const href of links) {
      const leave = /export|diagnostics|confirm|\/test$|globex|live|status=/.test(href);
      // What is the same outside of a tenant is looked at there.
      const { pathname } = new URL(href);
      const here = pathname.startsWith('/console/t/') || outside.some((path) => pathname.startsWith(`/console/${path}`));
      if (!leave && here && !seen.has(kind(href))) {
        seen.add(kind(href));
        waiting.push(href);
      }
    }
    await page.evaluate(axe);
    for (const [width, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), tags);
      for (const { id, nodes } of violations) faults.push(`${page.url()} at ${width}, ${colorScheme}: ${id}: ${nodes[0].html.slice(0, 200)}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      if (wide) faults.push(`${page.url()} scrolls sideways at ${width}`);
      const twice = await page.evaluate(() => {
        const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
        return ids.filter((id, index) => ids.indexOf(id) !== index);
      });
      if (twice.length > 0) faults.push(`${page.url()}: identifiers of more than one element: ${twice}`);
      const name = kind(new URL(page.url()).pathname.slice(1) + new URL(page.url()).search).replaceAll(/[^a-z0-9]+/g, '-');
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1440, height: 900 });
    looked += 1;
  }
  assert.deepEqual(faults, []);
  assert.ok(looked > 85, `${looked} pages only`);
  verified('every page that a link leads to is accessible, and fits at 1440, 900 and 360 pixels, light and dark');
}

async function keyboard(root) {
  const { page } = root;
  await root.goes(`${base}/console/t/acme/users`);
  await page.keyboard.press('Control+k');
  await root.sees('Search pages, tenants, people, clients, identifiers');
  await page.keyboard.type('crm');
  await page.getByRole('dialog').getByRole('link', { name: 'acme.crm-sync' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await root.sees('Evidence of use');
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await root.sees('Add user');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'q');
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('c');
  await root.sees('E-mail', 'Tier');
  verified('the keyboard searches, goes, filters and adds');
}

/// Copies on plain HTTP from another machine, where browsers keep their clipboard from scripts.
async function copies(browser, root) {
  const elsewhere = await Person.with(browser);
  const cookies = await root.page.context().cookies();
  await elsewhere.page.context().addCookies(cookies.map(({ name, value }) => ({ name, value, domain: HOST, path: '/' })));
  await elsewhere.goes(`http://${HOST}:${new URL(base).port}/console/t/acme/settings/iam/api-access`);
  assert.equal(await elsewhere.page.evaluate(() => navigator.clipboard), undefined, 'this is a context without a clipboard');
  const copied = elsewhere.page.locator('[data-copied]').first();
  const copy = elsewhere.page.getByRole('button', { name: 'Copy', exact: true }).first();
  const endpoint = await elsewhere.reads('Token endpoint');
  await copy.click();
  await elsewhere.page.waitForFunction((said) => said.textContent === 'Copied.', await copied.elementHandle());
  const filter = elsewhere.page.locator('input[name="q"]').last();
  await filter.focus();
  await elsewhere.page.keyboard.press('Control+v');
  assert.equal(await filter.inputValue(), endpoint, 'what was said to be copied can be pasted');
  await elsewhere.page.evaluate(() => { document.execCommand = () => false; });
  await copy.click();
  await elsewhere.sees('Not copied. The text is selected');
  verified('copying tells its true result, without a clipboard too');
  await elsewhere.leaves();
}

await withBrowser(async (browser) => {
  const { root, app } = await firstRun(browser);
  await story(root, 'Acme', 'acme', 'mia@acme.example', true);
  await keyboard(root);
  await copies(browser, root);
  await furnish();
  await lookAround(root);
  await root.leaves();
  const plain = await Person.with(browser, { javaScriptEnabled: false });
  await plain.signsIn(base, ROOT.email, ROOT.password);
  await plain.types('6-digit code', await app.code());
  await plain.presses('Verify');
  await plain.goes(`${base}/console/tenants`);
  await story(plain, 'Globex', 'globex', 'tom@globex.example', false);
  verified('the same without JavaScript');
  await plain.leaves();
});
