// Every page at three widths, light and dark, with and without JavaScript: accessible, and nothing sticks out.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { base, check, fault, lookedAt, open, parameters, require } from './browser.mjs';

const axe = require('axe-core').source;
const WIDTHS = [360, 900, 1440];
const folder = process.env.SCREENSHOTS;
mkdirSync(folder, { recursive: true });

/// Runs in the page: what reaches beyond its right edge.
function overflow() {
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > edge + 0.5);
  return ['the page scrolls sideways', ...out.map((e) => `<${e.localName} class="${e.className}">`)].slice(0, 4);
}

/// Runs in the page. Colours depend on the theme, everything else on the width alone.
function accessible(rules) {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const runOnly = rules ? { type: 'rule', values: rules } : { type: 'tag', values: tags };
  return axe.run(document, { runOnly, resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`)));
}

async function look(browser, script) {
  let where = '';
  const page = await open(browser, {}, () => where);
  // The checker of accessibility needs JavaScript itself, so the page does without its script instead.
  if (!script) await page.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  for (const name of parameters) {
    where = name;
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(`${base}/_gallery/${name}`);
    await page.evaluate(axe);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      for (const colorScheme of ['light', 'dark']) {
        where = `${name} at ${width}, ${colorScheme}${script ? '' : ', no script'}`;
        await page.emulateMedia({ colorScheme });
        for (const found of await page.evaluate(overflow)) fault(where, found);
        const rules = colorScheme === 'dark' ? ['color-contrast'] : null;
        for (const found of await page.evaluate(accessible, rules)) fault(where, found);
        if (script) await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        lookedAt();
      }
    }
  }
}

await check((browser) => Promise.all([look(browser, true), look(browser, false)]));
