// The browser that the checks are made with: the system's Chromium, driven without its own installation.
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const require = createRequire(join(process.env.KEYWARD_TEST_NODE_DIR, 'package.json'));
const { chromium } = require('playwright-core');

export const [, , base, ...parameters] = process.argv;

const faults = [];
let looked = 0;

export function fault(where, what) {
  faults.push(`${where}: ${what}`);
}

export function lookedAt() {
  looked += 1;
}

/// A page whose errors, refused loads and requests to elsewhere are faults. `where` names it in messages.
export async function open(browser, options, where) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  // What breaks the policy is told on the console, whether scripts run or not.
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) fault(where(), `console: ${message.text()}`);
  });
  page.on('pageerror', (error) => fault(where(), `exception: ${error}`));
  page.on('dialog', async (dialog) => {
    // Leaving what was begun is asked about.
    if (dialog.type() === 'beforeunload') return dialog.accept();
    fault(where(), `dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith('data:')) fault(where(), `request to ${url}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) fault(where(), `${response.status()} for ${response.url()}`);
  });
  return page;
}

export async function check(body) {
  // A browser that hangs is a fault, too.
  setTimeout(() => process.exit(2), 15 * 60 * 1000).unref();
  // Without a sandbox of its own: as root it would refuse to start, and it sees nothing but our pages.
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    await body(browser);
  } finally {
    await browser.close();
  }
  for (const line of new Set(faults)) console.log(line);
  console.log(`looked at ${looked}`);
  process.exitCode = faults.length > 0 || looked === 0 ? 1 : 0;
}
