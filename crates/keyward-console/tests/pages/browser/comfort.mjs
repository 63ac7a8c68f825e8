// What the script adds, and that everything it adds to works without it.
import { readFileSync } from 'node:fs';
import { base, check, fault, lookedAt, open } from './browser.mjs';

function expect(what, actual, expected) {
  lookedAt();
  if (actual !== expected) fault(what, `${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

const visit = (page, name) => page.goto(`${base}/_gallery/${name}`);

/// The recovery codes as a file, which comes out of the page itself.
async function download(page) {
  await visit(page, 'recovery-codes');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download as text')]);
  expect('the name of the file', file.suggestedFilename(), 'recovery-codes.txt');
  const lines = readFileSync(await file.path(), 'utf8').split('\n');
  expect('the head of the file', lines[0], 'Keyward recovery codes for ada@northwind.example on auth.northwind.example, made on 24 Nov 2026.');
  expect('the codes in the file', lines.filter((line) => /^K7Q\d-4M2X-9P\dD$/.test(line)).length, 10);
}

/// What a form sends when it is submitted.
async function sent(page, button) {
  await page.route('**/console/**', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 204 }) : route.continue()));
  const [request] = await Promise.all([page.waitForRequest((request) => request.method() === 'POST'), page.click(button)]);
  await page.unroute('**/console/**');
  return `${new URL(request.url()).pathname} ${request.postData()}`;
}

async function without(page) {
  await visit(page, 'sign-in');
  await page.fill('#email', 'ada@northwind.example');
  expect('signing in', await sent(page, 'text=Continue'), '/console/sign-in csrf=JgkPyB0p5q4&email=ada%40northwind.example');
  await visit(page, 'setup');
  await page.fill('#code', 'kwb_live_1');
  await page.fill('#email', 'ada@northwind.example');
  expect('the rule of length', await page.locator('.rule-length .icon').last().isVisible(), false);
  await page.fill('#new_password', 'four words and more');
  expect('the rule of length, kept', await page.locator('.rule-length .icon').last().isVisible(), true);
  expect('setting up', await sent(page, 'text=Create administrator'),
    '/console/setup csrf=JgkPyB0p5q4&code=kwb_live_1&email=ada%40northwind.example&new_password=four+words+and+more');
  await visit(page, 'account-question');
  expect('a question', await sent(page, 'text=Sign out 2 sessions'), '/console/account/sessions/sign-out-others csrf=JgkPyB0p5q4');
  await visit(page, 'account');
  expect('revoking', await sent(page, 'tr:nth-child(2) button'), '/console/account/sessions/ses_02/revoke csrf=JgkPyB0p5q4');
  await page.setViewportSize({ width: 360, height: 800 });
  await page.click('.menu-nav summary');
  expect('the navigation', await page.locator('.menu-nav a').first().isVisible(), true);
  await visit(page, 'enrol');
  expect('the copy button', await page.locator('[data-copy]').isVisible(), false);
  expect('the key', await page.inputValue('#secret'), 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP');
}

async function withScript(page) {
  await visit(page, 'setup#code=kwb_live_7Hq2');
  expect('the code of the link', await page.inputValue('#code'), 'kwb_live_7Hq2');
  expect('the address', page.url(), `${base}/_gallery/setup`);
  expect('the focus', await page.evaluate(() => document.activeElement.id), 'email');
  await page.fill('#new_password', 'short one');
  const met = () => page.locator('[data-strength]').evaluate((rule) => rule.className.includes('rule-met'));
  expect('a password of 9 characters', await met(), false);
  await page.fill('#new_password', 'one of a good length');
  expect('a long password', await met(), true);
  await page.click('[data-reveal]');
  expect('a shown password', await page.getAttribute('#new_password', 'type'), 'text');
  await page.click('[data-reveal]');
  expect('a hidden password', await page.getAttribute('#new_password', 'type'), 'password');
  await visit(page, 'enrol');
  await page.click('[data-copy]');
  await page.waitForFunction(() => document.querySelector('[data-copied]').textContent !== '');
  expect('copying', await page.textContent('[data-copied]'), 'Copied.');
  expect('the clipboard', await page.evaluate(() => navigator.clipboard.readText()), 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP');
  await visit(page, 'account');
  await page.click('.menu-account summary');
  expect('the menu', await page.locator('.menu-account .menu-panel').isVisible(), true);
  await page.keyboard.press('Escape');
  expect('the menu after Escape', await page.locator('.menu-account .menu-panel').isVisible(), false);
  await visit(page, 'account-question');
  expect('the question', await page.evaluate(() => document.querySelector('dialog').matches(':modal')), true);
  expect('what has the focus', await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.route('**/console/account', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: 'account' }));
  await Promise.all([page.waitForURL('**/console/account'), page.keyboard.press('Escape')]);
}

await check(async (browser) => {
  const where = () => 'comfort';
  const script = await open(browser, { permissions: ['clipboard-read', 'clipboard-write'] }, where);
  await withScript(script);
  await download(script);
  const none = await open(browser, { javaScriptEnabled: false }, where);
  await without(none);
  await download(none);
});
