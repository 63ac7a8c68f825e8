// A SAML identity provider on another site than Keyward's, which knows one person and signs him in without a question.
import { createServer } from 'node:http';
import { answer } from './samlify.mjs';

const bob = { nameId: 'bob-1', mail: 'bob@globex.example', displayName: 'Bob Builder', group: 'builders' };

// The page by which the browser brings the answer: by itself, or by a click where no scripts run.
const page = (action, { response, relayState }) =>
  `<!doctype html><title>Globex</title><h1>Globex knows you</h1><form method="post" action="${action}">
  <input type="hidden" name="SAMLResponse" value="${response}"><input type="hidden" name="RelayState" value="${relayState}">
  <button>Back to Keyward</button></form><script>document.forms[0].submit()</script>`;

// What Keyward must know of the provider, and how the provider learns of Keyward: by its metadata.
export async function samlProvider(key, certificate) {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  // To browsers this is another site than 127.0.0.1: no cookies come with its forms.
  const origin = `http://localhost:${server.address().port}`;
  const config = { entity_id: `${origin}/metadata`, sso_url: `${origin}/sso`, certificate };
  let keyward;
  server.on('request', async (request, response) => {
    const metadata = await (await fetch(`${keyward.metadata}`)).text();
    const given = { metadata, entityId: config.entity_id, key, certificate, sign: 'both', user: bob };
    const location = new URL(request.url, origin).href;
    const format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
    try {
      const body = page(keyward.callback, await answer({ ...given, location, format }));
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body);
    } catch (error) {
      response.writeHead(500).end(String(error.stack ?? error));
    }
  });
  server.unref();
  const serves = (where) => {
    keyward = where;
  };
  return { config, serves };
}
