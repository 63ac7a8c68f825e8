// What scripts add to the screens, for those who have them.
import assert from 'node:assert/strict';
import { base } from './keyward.mjs';

const focused = (person) => person.page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

async function grid(person) {
  await person.page.getByLabel('Users: View').focus();
  await person.page.keyboard.press('ArrowLeft');
  assert.equal(await focused(person), 'Users: Change');
  await person.page.keyboard.press('ArrowUp');
  await person.page.keyboard.press('ArrowRight');
  assert.equal(await focused(person), 'Sessions: View');
  await person.page.keyboard.press('Space');
  assert.ok(await person.page.getByLabel('Sessions: View').isChecked());
  await person.sees('Looks at Sessions. Nothing else.');
  await person.ticks('Roles: Change');
  await person.sees('Looks at Sessions. Changes Roles. Nothing else.', 'can give access to others');
  await person.unticks('Roles: Change');
  await person.unticks('Roles: View');
  await person.misses('can give access to others');
}

async function offline(person) {
  const { page } = person;
  await page.context().setOffline(true);
  await person.sees('No connection.');
  await person.presses('Save');
  await page.context().setOffline(false);
  await page.getByText('No connection.').waitFor({ state: 'detached' });
  assert.equal(await person.reads('Client ID'), 'comfort', 'what was typed is kept');
}

async function secret(person) {
  const { page } = person;
  await person.sees('Not copied yet.');
  const value = await person.reads('Secret of acme.comfort');
  await page.getByRole('link', { name: 'Done', exact: true }).click({ force: true });
  await person.sees('Tick that you have stored it first.');
  await page.keyboard.press('Escape');
  await person.sees('Leave without the secret?');
  await person.presses('Stay');
  await page.locator('[data-format]').selectOption({ label: 'JSON' });
  assert.equal(JSON.parse(await page.locator('#secret').inputValue()).client_secret, value);
  const saved = page.waitForEvent('download');
  await person.presses('Download .env');
  assert.match((await saved).suggestedFilename(), /\.env$/);
  await person.sees('Downloaded: .env.');
  await person.ticks('I have stored it');
  await person.follows('Done');
}

async function keys(person) {
  const { page } = person;
  await person.sees('Evidence of use');
  await page.keyboard.press('?');
  await person.sees('Keyboard shortcuts', 'Audit log');
  const pages = await page.locator('.keys-pages').innerText();
  const letters = [...pages.matchAll(/^g (\w)$/gm)].map(([, letter]) => letter);
  assert.equal(new Set(letters).size, letters.length, 'no letter leads to two pages');
  await person.presses('Close');
}

async function times(person) {
  await person.goes(`${base}/console/account`);
  await person.chooses('Times', { label: 'My time' });
  await person.presses('Save');
  await person.visits('Audit log');
  const shown = await person.page.locator('time[data-at]').first();
  assert.match(await shown.getAttribute('title'), /UTC/);
  assert.doesNotMatch(await shown.innerText(), /UTC/);
}

export async function comfort(person) {
  await person.visits('API Access');
  await person.adds('Add API client');
  await person.types('Client ID', 'comfort');
  await person.presses('90 days');
  const ahead = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  assert.equal(await person.reads('Expiry date'), ahead);
  await grid(person);
  await offline(person);
  await person.presses('Save');
  await secret(person);
  await keys(person);
  await times(person);
}
