// Every screen's main flow, with and without JavaScript, by what can be seen.
import { Person, withBrowser } from './browser.mjs';
import { Admin, base } from './keyward.mjs';
import { comfort } from './screens-comfort.mjs';
import { machines } from './screens-machines.mjs';
import { people } from './screens-people.mjs';
import { platform } from './screens-platform.mjs';

const ROOT = { email: process.env.KEYWARD_TEST_EMAIL, password: process.env.KEYWARD_TEST_PASSWORD };
const only = process.argv[2];

async function furnish() {
  const admin = new Admin(ROOT.email);
  const acme = await admin.creates('tenants', { name: 'Acme', slug: 'acme' });
  await admin.creates('users', { email: 'pia@acme.example', name: 'Pia', tenant_id: acme.id });
  await admin.creates('roles', { name: 'Reading users', tenant_id: acme.id, permissions: ['keyward:users:read'] });
}

await furnish();
await withBrowser(async (browser) => {
  for (const [words, scripted] of [['with', true], ['without', false]]) {
    const viewport = { width: 1440, height: 900 };
    const person = await Person.with(browser, { javaScriptEnabled: scripted, viewport, timezoneId: 'Asia/Tokyo' });
    await person.signsIn(base, ROOT.email, ROOT.password);
    const one = (name) => `${name}-${scripted ? 'a' : 'b'}`;
    for (const [screen, flow] of Object.entries({ ...people, ...machines, ...platform })) {
      if (only && screen !== only) continue;
      await person.goes(`${base}/console/t/acme/dashboard`);
      await flow(person, { browser, one, scripted });
      console.log(`verified: ${screen}, ${words} JavaScript`);
    }
    if (scripted && (!only || only === 'comfort')) {
      await person.goes(`${base}/console/t/acme/dashboard`);
      await comfort(person);
      console.log('verified: what scripts add');
    }
    await person.leaves();
  }
});
