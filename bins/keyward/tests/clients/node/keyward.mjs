// Keyward as its administrators use it: the command line, and the admin API.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

export const base = process.env.KEYWARD_PUBLIC_URL;

// What a command says, in the server's folder and with the server's database.
export function keyward(...words) {
  return execFileSync(process.env.KEYWARD_TEST_BINARY, words, { encoding: 'utf8' }).trim();
}

export class Admin {
  constructor(email) {
    this.token = keyward('admin', 'token', '--email', email);
  }

  async calls(method, path, body) {
    const reply = await fetch(`${base}/api/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await reply.text();
    assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
    return text && JSON.parse(text);
  }

  async creates(path, body) {
    return this.calls('POST', path, body);
  }

  async user(email) {
    const found = await this.calls('GET', `users?q=${encodeURIComponent(email)}`);
    assert.equal(found.data.length, 1, `one user ${email}`);
    return found.data[0];
  }

  // Ends every session of somebody; how many there were.
  async endsSessionsOf(user) {
    const sessions = await this.calls('GET', `sessions?user_id=${user.id}`);
    const live = sessions.data.filter((session) => session.state === 'active');
    for (const session of live) await this.calls('POST', `sessions/${session.id}/revoke`);
    return live.length;
  }
}
