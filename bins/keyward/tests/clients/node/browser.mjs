// A browser as people use it: they read, type into what has a label, and click on what has a name. It is the system's
// Chromium, and no name but those of this machine leads anywhere.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chromium } from 'playwright-core';

const STEP_MILLIS = 30_000;

// A browser that hangs is a fault, too.
setTimeout(() => {
  console.error('no result within 15 minutes');
  process.exit(2);
}, 900_000).unref();

// Another name of this machine, which browsers do not take for this machine.
export const HOST = 'keyward.test';

// Without a sandbox of its own: as root it would refuse to start, and it sees nothing but our pages.
export async function withBrowser(body) {
  const resolver = `--host-resolver-rules=MAP ${HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`;
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', resolver] });
  try {
    await body(browser);
  } finally {
    await browser.close();
  }
}

// Somebody with a browser that knows nothing yet.
export class Person {
  static async with(browser, options = {}) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      throw error;
    });
    page.on('console', (message) => {
      assert.ok(!message.text().includes('Content Security Policy'), message.text());
    });
    return new Person(page);
  }

  constructor(page) {
    this.page = page;
  }

  async goes(address) {
    await this.page.goto(address);
  }

  // Every text, where it can be seen.
  async sees(...texts) {
    for (const text of texts) {
      const found = this.page.getByText(text).filter({ visible: true }).first();
      await found.waitFor().catch(async () => {
        const shown = await this.page.locator('body').innerText();
        throw new Error(`"${text}" is not to be seen at ${this.page.url()}:\n${shown}`);
      });
    }
  }

  // The same, on a page that has it soon, but not yet.
  async awaits(text) {
    const found = this.page.getByText(text).filter({ visible: true });
    for (let tries = 0; tries < 20 && await found.count() === 0; tries += 1) {
      await new Promise((later) => setTimeout(later, 250));
      await this.page.reload();
    }
    await this.sees(text);
  }

  async misses(text) {
    assert.equal(await this.page.getByText(text).filter({ visible: true }).count(), 0, `"${text}" is to be seen`);
  }

  async types(label, text) {
    await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  async reads(label) {
    return this.page.getByLabel(label, { exact: true }).inputValue();
  }

  async presses(name) {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async follows(name) {
    await this.page.getByRole('link', { name, exact: true }).click();
  }

  // To a screen, by the navigation.
  async visits(name) {
    await this.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
    await this.page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  }

  // By the button of a list, which stands a second time where the list is empty.
  async adds(name) {
    await this.page.getByRole('link', { name, exact: true }).first().click();
  }

  // Something of the page itself, whatever the navigation has by this name.
  async picks(name) {
    await this.page.getByRole('main').getByRole('link', { name, exact: true }).click();
  }

  async ticks(label) {
    await this.page.getByLabel(label).check();
  }

  async unticks(label) {
    await this.page.getByLabel(label).uncheck();
  }

  async chooses(label, option) {
    await this.page.getByRole('combobox', { name: label, exact: true }).selectOption(option);
  }

  // Opens what is folded.
  async opens(name) {
    await this.page.locator('summary', { hasText: name }).click();
  }

  // Narrows a list.
  async filters(label, text) {
    await this.page.getByRole('search').getByLabel(label, { exact: true }).fill(text);
    await this.presses('Filter');
  }

  // What a table says of something.
  row(text) {
    return this.page.getByRole('row').filter({ hasText: text });
  }

  // Deletes what the page is about, and answers the question for its name where it is asked.
  async deletes(name, typed) {
    await this.follows('Delete');
    await this.sees(`Delete ${name}?`);
    if (typed) await this.types(`Type ${typed} to confirm`, typed);
    await this.presses(`Delete ${name}`);
  }

  // Address and password, from the first page on.
  async signsIn(base, email, password) {
    await this.goes(`${base}/console/sign-in`);
    await this.signsInHere(email, password);
  }

  async signsInHere(email, password) {
    await this.types('E-mail', email);
    await this.presses('Continue');
    await this.sees('Enter your password', email);
    await this.types('Password', password);
    await this.presses('Sign in');
  }

  async signsOut() {
    await this.page.locator('.menu-account > summary').click();
    await this.presses('Sign out');
    await this.sees('You are signed out');
  }

  // Sets up two-step sign-in on the page for it, stores the recovery codes, and goes on: the app, and the codes.
  async enrols() {
    await this.sees('Set up two-step sign-in');
    const app = new Authenticator(await this.reads('Or type this key'));
    await this.types('6-digit code', await app.code());
    await this.presses('Verify and turn on');
    await this.sees('Store your recovery codes');
    const codes = await this.page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts();
    assert.equal(new Set(codes).size, 10, 'ten different recovery codes');
    await this.ticks('I have stored them in a safe place');
    await this.presses('Done');
    return { app, codes };
  }

  async leaves() {
    await this.page.context().close();
  }
}

function base32(text) {
  const letters = [...text.replaceAll(/\s/g, '')];
  const bits = letters.map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
  return Buffer.from(bits.join('').match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

// An authenticator app (RFC 6238). Since a code is good once, each is of a later step; one ahead of time is taken.
export class Authenticator {
  constructor(key) {
    this.key = base32(key);
    this.used = 0;
  }

  at(step) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac('sha1', this.key).update(counter).digest();
    const number = mac.readUInt32BE(mac.at(-1) & 0xf) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, '0');
  }

  async code() {
    const now = () => Math.floor(Date.now() / STEP_MILLIS);
    const step = Math.max(now(), this.used + 1);
    while (step > now() + 1) await new Promise((later) => setTimeout(later, 500));
    this.used = step;
    return this.at(step);
  }

  // The code that was used last.
  spent() {
    return this.at(this.used);
  }

  // A code that is not right at any time near now.
  wrong() {
    const now = Math.floor(Date.now() / STEP_MILLIS);
    const near = new Set([-2, -1, 0, 1, 2].map((offset) => this.at(now + offset)));
    return ['000000', '000001', '000002', '000003', '000004', '000005'].find((code) => !near.has(code));
  }
}
