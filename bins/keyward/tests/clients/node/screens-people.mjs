// Users, groups, roles and staff, as somebody uses them who goes by what they see.
import assert from 'node:assert/strict';
import { Person } from './browser.mjs';
import { base } from './keyward.mjs';

const PASSWORD = 'quiet harbour violin 73';

async function users(person, { one, browser, scripted }) {
  const email = `${one('uma')}@acme.example`;
  await person.visits('Users');
  await person.adds('Add user');
  await person.types('E-mail', 'not an address');
  await person.presses('Save');
  await person.sees('E-mail must be an e-mail address.');
  await person.types('E-mail', email);
  await person.types('Name', 'Uma Thornton');
  await person.opens('Advanced');
  await person.types('Custom attributes', '{"desk": "4.12"}');
  await person.presses('Save');
  await person.sees('No permissions: can sign in, sees nothing.');
  await person.picks('Overview');
  await person.sees('desk', '4.12');
  await person.follows('Edit');
  await person.types('Name', 'Uma Thorne');
  await person.presses('Save');
  await person.sees('Uma Thorne');

  await person.follows('Sign-in link');
  await person.presses('Sign-in link');
  const link = await person.reads('Link');
  const uma = await Person.with(browser, { javaScriptEnabled: scripted });
  await uma.goes(link);
  if (!scripted) await uma.types('Code of the link', new URL(link).hash.slice(1));
  await uma.types('New password', PASSWORD);
  await uma.presses('Save password');
  await uma.types('Password', PASSWORD);
  await uma.presses('Sign in');
  await uma.sees('My account', 'Uma Thorne');

  await person.follows('Done');
  await person.picks('Sessions');
  assert.equal(await person.row('Chrom').count(), 1, 'one session');
  await person.picks('Overview');
  await person.follows('Reset password');
  await person.presses('Reset password');
  await uma.goes(`${base}/console/account`);
  await uma.sees('Sign in', 'Continue');
  await uma.leaves();
  await person.misses('Turn off two-step sign-in');
  await person.picks('Activity');
  await person.sees('User updated', 'Password reset');
  await person.picks('Overview');
  await person.deletes('Uma Thorne');
  await person.filters('Search', email);
  await person.sees('No user matches.');
}

async function table(person, { one }) {
  const [good, twice] = [`${one('ned')}@acme.example`, `${one('ola')}@acme.example`];
  await person.visits('Users');
  await person.follows('Import users from a table');
  await person.types('Comma-separated values', `email,name\n${good},Ned\n${twice},Ola\n${twice},Ola again\nnobody,No one`);
  await person.presses('Look first');
  await person.sees('Nothing was added yet.', 'It is in the table twice.');
  await person.presses('Add 2 users');
  await person.sees('2 of 4 were added.');
  await person.visits('Users');
  await person.filters('Search', good);
  await person.sees('Ned');
}

async function groups(person, { one }) {
  const [outer, inner, member] = [one('Operators'), one('Night shift'), 'pia@acme.example'];
  for (const name of [inner, outer]) {
    await person.visits('Groups');
    await person.adds('Add group');
    await person.types('Name', name);
    await person.presses('Save');
  }
  await person.sees('Nest group');
  await person.types('Name or identifier of a group', inner);
  await person.presses('Nest group');
  await person.follows(inner);
  await person.types('E-mail of a user', 'stranger@acme.example');
  await person.presses('Add member');
  await person.sees('There is no user by this e-mail address here.');
  await person.types('E-mail of a user', member);
  await person.presses('Add member');
  await person.types('Name or identifier of a group', outer);
  await person.presses('Nest group');
  await person.sees('That would close a circle');
  await person.visits('Groups');
  await person.follows(outer);
  await person.picks('Everybody in it');
  await person.sees(member);
  await person.picks('Overview');
  await person.follows('Change roles');
  await person.ticks('Reading users');
  await person.presses('Save');
  await person.sees('Reading users');
  await person.follows(`Take ${inner} out`);
  await person.presses(`Remove ${inner}`);
  await person.sees('None.');
  await person.follows('Edit');
  await person.types('Name', `${outer} II`);
  await person.presses('Save');
  await person.deletes(`${outer} II`);
  await person.filters('Search', `${outer} II`);
  await person.sees('No group matches.');
}

async function roles(person, { one, scripted }) {
  const name = one('Auditor');
  await person.visits('Roles');
  await person.adds('Add role');
  await person.types('Name', name);
  await person.ticks('Audit log: View');
  await person.ticks('Sessions: Change');
  if (scripted) await person.sees('2 View, 1 Change');
  await person.presses('Save');
  await person.sees('keyward:audit:read', 'keyward:sessions:read', 'keyward:sessions:write');
  await person.follows('Duplicate');
  await person.unticks('Sessions: Change');
  await person.presses('Save');
  await person.sees(`Copy of ${name}`);
  await person.visits('Roles');
  await person.follows('Compare two roles');
  await person.chooses('Role', { label: name });
  await person.chooses('With', { label: `Copy of ${name}` });
  await person.presses('Filter');
  assert.match(await person.row('keyward:sessions:write').innerText(), /Yes\s+No/);
  await person.visits('Roles');
  await person.follows('Permission reference');
  await person.picks('Audit log');
  await person.sees('keyward:audit:read');
  await person.visits('Roles');
  await person.follows(name);
  await person.follows('Edit');
  await person.types('Name', `${name} II`);
  await person.presses('Save');
  await person.deletes(`${name} II`);
  await person.filters('Search', `${name} II`);
  await person.sees('No role matches.');
}

async function staff(person, { one }) {
  const email = `${one('kim')}@acme.example`;
  await person.visits('Staff');
  await person.adds('Add colleague');
  await person.types('E-mail', email);
  await person.presses('Save');
  await person.ticks('Reading users');
  await person.ticks('Groups: Change');
  await person.presses('Review changes');
  await person.sees('+ role Reading users', '+ keyward:groups:read', '+ keyward:groups:write');
  await person.presses('Save');
  await person.sees('from role Reading users', 'direct');
  await person.unticks('Reading users');
  await person.presses('Review changes');
  await person.sees('− role Reading users');
  await person.presses('Save');
  await person.visits('Staff');
  await person.sees(email);
}

export const people = { Users: users, 'Import of users': table, Groups: groups, Roles: roles, Staff: staff };
