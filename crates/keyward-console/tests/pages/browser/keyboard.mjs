// Tab goes through every control of every page, in the order that they stand in, and shows where it is.
import { base, check, fault, lookedAt, open, parameters } from './browser.mjs';

/// Runs in the page: numbers what should be reached.
function controls() {
  const all = document.querySelectorAll('a[href], button, input:not([type="hidden"], :disabled), textarea, select, summary, [tabindex="0"]');
  const reachable = [...all].filter((e) => e.checkVisibility() && e.tabIndex >= 0 && !e.closest('[inert]'));
  const modal = document.querySelector('dialog:modal');
  const wanted = modal ? reachable.filter((e) => modal.contains(e)) : reachable;
  wanted.forEach((e, index) => { e.dataset.control = String(index); });
  document.activeElement?.blur();
  document.body.tabIndex = -1;
  document.body.focus();
  return wanted.map((e) => e.outerHTML.replace(/\s+/g, ' ').slice(0, 120));
}

/// Runs in the page: which control has the focus, and whether it shows.
function focused() {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const { width, height } = e.getBoundingClientRect();
  return { control: e.dataset.control, shown, large: ['input', 'textarea', 'select'].includes(e.localName) || (width >= 24 && height >= 24) || style.display === 'inline' };
}

await check(async (browser) => {
  for (const javaScriptEnabled of [true, false]) {
    let where = '';
    const page = await open(browser, { javaScriptEnabled, viewport: { width: 1440, height: 800 } }, () => where);
    for (const name of parameters) {
      where = `${name}${javaScriptEnabled ? '' : ', no script'}`;
      await page.goto(`${base}/_gallery/${name}`);
      const wanted = await page.evaluate(controls);
      const reached = [];
      for (let presses = 0; presses < wanted.length + 5 && reached.length < wanted.length; presses += 1) {
        await page.keyboard.press('Tab');
        const { control, shown, large } = await page.evaluate(focused);
        if (control === undefined || reached.includes(control)) continue;
        reached.push(control);
        if (!shown) fault(where, `focus does not show on ${wanted[control]}`);
        if (!large) fault(where, `too small: ${wanted[control]}`);
      }
      wanted.forEach((html, index) => {
        if (!reached.includes(String(index))) fault(where, `not reached: ${html}`);
      });
      const sorted = reached.toSorted((left, right) => left - right);
      if (!javaScriptEnabled && reached.join() !== sorted.join()) fault(where, `out of order: ${reached.join()}`);
      lookedAt();
    }
    await page.context().close();
  }
});
