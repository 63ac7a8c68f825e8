// Hostile names on pages of every kind: nothing runs, loads, moves or sticks out.
import { base, check, fault, lookedAt, open, parameters } from './browser.mjs';

const PAGES = ['sign-in-providers', 'password', 'recovery-codes', 'consent', 'error-500', 'provider-failed', 'account', 'provider-test-failed', 'provider-test', 'setup-invalid', 'reset-link'];

await check(async (browser) => {
  let where = '';
  const page = await open(browser, { viewport: { width: 360, height: 800 } }, () => where);
  for (let number = 0; number < Number(parameters[0]); number += 1) {
    for (const name of PAGES) {
      where = `${name} with name ${number}`;
      const address = `${base}/_gallery/hostile/${number}/${name}`;
      await page.goto(address);
      if (page.url() !== address) fault(where, `moved to ${page.url()}`);
      const found = await page.evaluate(() => ({
        scripts: document.scripts.length,
        strange: document.querySelectorAll('iframe, object, embed, base, style, img, [onload], [onerror], [onfocus]').length,
        wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      }));
      if (found.scripts !== 1 || found.strange !== 0) fault(where, JSON.stringify(found));
      if (found.wide) fault(where, 'scrolls sideways');
      lookedAt();
    }
  }
});
