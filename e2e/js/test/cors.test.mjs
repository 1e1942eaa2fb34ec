// CORS: a trusted origin may send credentials, any other origin may call with tokens and without credentials.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD } from '../lib/people.mjs';
import { FRONTEND, startServer } from '../lib/server.mjs';

const FOREIGN = ['https://evil.example', `${FRONTEND}.evil.example`, 'http://localhost:51730', 'https://localhost:5173', 'chrome-extension://x', 'file://', 'null'];
const PATHS = ['/api/auth/get-session', '/api/wallet/balance', '/api/user/profile', '/api/health', '/api/collections/wallets/records', '/api/nope'];
const REQUEST_HEADERS = ['Authorization', 'Content-Type', 'Idempotency-Key', 'x-api-key', 'X-Device-Id', 'X-Platform'];

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

const of = (answer) => ({
  origin: answer.headers.get('access-control-allow-origin'),
  credentials: answer.headers.get('access-control-allow-credentials'),
});
const list = (value) => (value ?? '').split(',').map((item) => item.trim().toLowerCase());
const preflight = (path, Origin, method = 'POST') => call(server, 'OPTIONS', path, {
  headers: { Origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': REQUEST_HEADERS.join(',').toLowerCase() },
});

for (const [who, origin] of [['the frontend', () => FRONTEND], ['the server’s own origin', () => server.url]]) {
  describe(`from ${who}`, () => {
    test('an answer, also an error, echoes the origin and allows credentials', async () => {
      for (const path of PATHS) {
        const answer = await call(server, 'GET', path, { headers: { Origin: origin() } });
        assert.deepEqual(of(answer), { origin: origin(), credentials: 'true' }, path);
        assert.ok(list(answer.headers.get('vary')).includes('origin'), `${path} varies by origin`);
      }
    });

    test('a preflight allows every method and header that the API takes', async () => {
      for (const path of ['/api/auth/sign-in/email', '/api/wallet/use', '/api/user/profile', '/api/collections/wallets/records']) {
        for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
          const answer = await preflight(path, origin(), method);
          assert.equal(answer.status, 204, path);
          assert.deepEqual(of(answer), { origin: origin(), credentials: 'true' }, path);
          assert.ok(list(answer.headers.get('access-control-allow-methods')).includes(method.toLowerCase()), `${path} ${method}`);
          const allowed = list(answer.headers.get('access-control-allow-headers'));
          for (const header of REQUEST_HEADERS) assert.ok(allowed.includes(header.toLowerCase()), `${path} ${header}`);
        }
      }
    });

    test('a script may read set-auth-token', async () => {
      const answer = await call(server, 'POST', '/api/auth/sign-up/email', { headers: { Origin: origin() }, body: { name: 'Ada', email: newEmail(), password: PASSWORD } });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(list(answer.headers.get('access-control-expose-headers')).includes('set-auth-token'));
    });
  });
}

for (const origin of FOREIGN) {
  describe(`from ${origin}, which is not listed`, () => {
    test('an answer allows every origin and no credentials', async () => {
      for (const path of PATHS) {
        assert.deepEqual(of(await call(server, 'GET', path, { headers: { Origin: origin } })), { origin: '*', credentials: null }, path);
      }
    });

    test('so does a preflight', async () => {
      const answer = await preflight('/api/wallet/use', origin);
      assert.equal(answer.status, 204);
      assert.deepEqual(of(answer), { origin: '*', credentials: null });
      const allowed = list(answer.headers.get('access-control-allow-headers'));
      for (const header of REQUEST_HEADERS) assert.ok(allowed.includes(header.toLowerCase()), header);
    });

    test('a bearer token works from there', async () => {
      const user = await newUser(server);
      const answer = await call(server, 'GET', '/api/wallet/balance', { token: user.token, headers: { Origin: origin } });
      assert.equal(answer.status, 200);
      assert.deepEqual(of(answer), { origin: '*', credentials: null });
    });
  });
}

test('an extension’s origin gets credentials once it is listed', async () => {
  const listed = await startServer({ env: { FRONTEND_URL: `${FRONTEND},chrome-extension://abcdefghijklmnop` } });
  try {
    for (const origin of [FRONTEND, 'chrome-extension://abcdefghijklmnop']) {
      const answer = await call(listed, 'GET', '/api/wallet/balance', { headers: { Origin: origin } });
      assert.deepEqual(of(answer), { origin, credentials: 'true' });
    }
    const other = await call(listed, 'GET', '/api/wallet/balance', { headers: { Origin: 'chrome-extension://x' } });
    assert.deepEqual(of(other), { origin: '*', credentials: null });
  } finally {
    await listed.stop();
  }
});
