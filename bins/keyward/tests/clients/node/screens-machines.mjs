// API clients, API keys, applications and agents, as somebody uses them who goes by what they see.
import assert from 'node:assert/strict';
import { base } from './keyward.mjs';

const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);

async function token(client, secret) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client, client_secret: secret });
  return fetch(`${base}/oauth2/token`, { method: 'POST', body });
}

async function checks(key) {
  return (await fetch(`${base}/forward-auth?permission=keyward:users:read`, { headers: { 'x-api-key': key } })).status;
}

// Reads what is shown once, and goes on.
async function takes(person, scripted) {
  await person.sees('It is shown this once.');
  const secret = await person.page.getByLabel(/^(Secret|Key) of |^Key /).first().inputValue();
  if (scripted) await person.ticks('I have stored it');
  await person.follows('Done');
  return secret;
}

async function clients(person, { one, scripted }) {
  const [name, id] = [one('billing'), `acme.${one('billing')}`];
  await person.visits('API Access');
  await person.adds('Add API client');
  await person.types('Client ID', 'No Good');
  await person.types('Expiry date', day(20));
  await person.presses('Save');
  await person.sees('No permission is chosen: its tokens will permit nothing.');
  await person.ticks('Users: Change');
  await person.presses('Save');
  await person.sees('Client ID must be');
  await person.types('Client ID', name);
  await person.presses('Save');
  const secret = await takes(person, scripted);
  const issued = await token(id, secret);
  assert.equal((await issued.json()).scope, 'keyward:users:read keyward:users:write');

  await person.visits('API Access');
  await person.follows('Expiring');
  await person.follows(`Edit ${id}`);
  await person.types('Notes', 'Ask Mia');
  await person.unticks('Users: Change');
  await person.presses('Save');
  await person.sees('Ask Mia', 'Evidence of use');
  await person.follows('Renew');
  await person.types('Expiry date', day(200));
  await person.presses('Renew');
  await person.follows('Edit');
  await person.chooses('Status', 'disabled');
  await person.presses('Save');
  await person.sees('Disabled');
  assert.equal((await token(id, secret)).status, 401);
  await person.visits('API Access');
  await person.follows('Disabled');
  await person.follows(id);
  await person.follows('Edit');
  await person.chooses('Status', 'active');
  await person.presses('Save');
  assert.equal((await (await token(id, secret)).json()).scope, 'keyward:users:read');
  await person.follows('Revoke tokens');
  await person.presses('Revoke tokens');
  await person.picks('Activity');
  await person.sees('Application renewed', 'Application updated');
  await person.picks('Overview');
  await person.deletes(id, id);
  await person.filters('Search', name);
  await person.sees('No API client matches.');
  assert.equal((await token(id, secret)).status, 401);
}

async function keys(person, { one, scripted }) {
  const name = one('crm-prod');
  await person.visits('API Keys');
  await person.adds('Add API key');
  await person.types('Name', name);
  await person.ticks('Users: View');
  await person.presses('Save');
  const old = await takes(person, scripted);
  assert.equal(await checks(old), 200);
  await person.visits('API Keys');
  await person.follows('Test a key or token');
  await person.types('API key or access token', old);
  await person.types('Permission', 'keyward:groups:read');
  await person.presses('Test');
  await person.sees('keyward:groups:read');
  assert.ok(!(await person.page.content()).includes(old.slice(12, 40)), 'the tester shows what it was given');
  await person.visits('API Keys');
  await person.follows(`Rotate ${name}`);
  await person.presses('Rotate');
  const next = await takes(person, scripted);
  assert.equal(await checks(next), 200);
  assert.equal(await checks(old), 200);
  await person.awaits('1 of 1 caller still uses the old key');
  await person.follows('Look at the old key');
  await person.follows('Revoke');
  await person.presses(`Revoke ${name}`);
  assert.equal(await checks(old), 401);
  assert.equal(await checks(next), 200);
}

async function applications(person, { one, scripted }) {
  const [name, id] = [one('shop'), `acme.${one('shop')}`];
  await person.visits('Applications');
  await person.adds('Add application');
  await person.types('Name', 'Shop');
  await person.types('Client ID', name);
  await person.types('Redirect URIs', 'http://shop.example/callback');
  await person.presses('Save');
  await person.sees('It must be https');
  await person.types('Redirect URIs', 'https://shop.example/callback');
  await person.presses('Save');
  await takes(person, scripted);
  await person.sees('https://shop.example/callback', 'Connecting it');
  await person.follows('Rotate secret');
  await person.presses('Rotate secret');
  await takes(person, scripted);
  await person.follows('Edit');
  await person.types('Name', 'Shop of Acme');
  await person.presses('Save');
  await person.sees('Shop of Acme');
  await person.deletes('Shop of Acme');
  await person.filters('Search', name);
  await person.sees('No application matches.');
}

async function agents(person, { one, scripted }) {
  const name = one('helper');
  await person.visits('MCP agents');
  await person.adds('Add agent');
  await person.types('Name', name);
  await person.types('Owner', 'pia@acme.example');
  await person.types('Allowed tools', 'search\nlookup');
  await person.types('Requests per minute at most', '30');
  await person.ticks('Users: View');
  await person.presses('Save');
  await takes(person, scripted);
  await person.sees('search', 'lookup', '30');
  await person.follows('Pause');
  await person.presses(`Pause ${name}`);
  await person.sees('Paused');
  await person.follows('Resume');
  await person.presses(`Resume ${name}`);
  await person.follows('Rotate secret');
  await person.presses('Rotate secret');
  await takes(person, scripted);
  await person.deletes(name);
  await person.filters('Search', name);
  await person.sees('No agent matches.');
}

export const machines = { 'API Access': clients, 'API Keys and Key tester': keys, Applications: applications, 'MCP agents': agents };
