// Sign-in and sign-up are throttled per address and route, each road with its own counter.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call } from '../lib/http.mjs';
import { newEmail, PASSWORD, superuser } from '../lib/people.mjs';
import { startServer } from '../lib/server.mjs';

const LIMIT = 3;
const WINDOW_S = 10;

let server;
before(async () => { server = await startServer({ env: { AUTH_RATE_LIMIT: String(LIMIT) } }); });
after(() => server?.stop());

// Unknown addresses, so that every try is a wrong one.
const better = (headers) => call(server, 'POST', '/api/auth/sign-in/email', { headers, body: { email: newEmail(), password: PASSWORD } });
const pocketbase = (headers) => call(server, 'POST', '/api/collections/users/auth-with-password', { headers, body: { identity: newEmail(), password: PASSWORD } });
const betterUp = (email = newEmail()) => call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email, password: PASSWORD } });
const pocketbaseUp = () => call(server, 'POST', '/api/collections/users/records', { body: { name: 'Ada', email: newEmail(), password: PASSWORD, passwordConfirm: PASSWORD } });

function betterRefusal(answer) {
  assert.equal(answer.status, 429, answer.text);
  assert.equal(answer.body.message, 'Too many requests. Please try again later.');
  const retry = answer.headers.get('x-retry-after');
  assert.match(retry ?? '', /^\d+$/);
  assert.ok(Number(retry) >= 1 && Number(retry) <= WINDOW_S, retry);
}

function pocketbaseRefusal(answer) {
  assert.equal(answer.status, 429, answer.text);
  assert.equal(answer.body.status, 429);
  assert.ok(typeof answer.body.message === 'string' && answer.body.message, answer.text);
  assert.equal(typeof answer.body.data, 'object');
  assert.match(answer.headers.get('retry-after') ?? answer.headers.get('x-retry-after') ?? '', /^\d+$/);
}

/** Tries LIMIT times at once, so that all fall into one window, and once more. */
async function exhaust(attempt, status) {
  const allowed = await Promise.all(Array.from({ length: LIMIT }, () => attempt()));
  assert.deepEqual(allowed.map((answer) => answer.status), Array(LIMIT).fill(status));
  return attempt();
}

describe('three tries in ten seconds', () => {
  test('Better Auth sign-in: the fourth is 429 with X-Retry-After', async () => {
    betterRefusal(await exhaust(better, 401));
  });

  test('a made-up X-Forwarded-For is no other address', async () => {
    betterRefusal(await better({ 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9' }));
  });

  test('PocketBase sign-in has a counter of its own, and PocketBase’s error', async () => {
    pocketbaseRefusal(await exhaust(pocketbase, 400));
  });

  test('sign-up is counted apart from sign-in, on both roads', async () => {
    betterRefusal(await exhaust(betterUp, 200));
    pocketbaseRefusal(await exhaust(pocketbaseUp, 200));
  });

  test('a superuser still signs in', async () => {
    assert.ok((await superuser(server)).authStore.isValid);
  });

  test('after the seconds that X-Retry-After names, sign-in works again', async () => {
    const answer = await better();
    const wait = answer.status === 429 ? Number(answer.headers.get('x-retry-after')) : 0;
    await new Promise((resolve) => { setTimeout(resolve, wait * 1000 + 200); });
    assert.equal((await better()).status, 401);
  });
});

test('AUTH_RATE_LIMIT=0 throttles nobody', async () => {
  const open = await startServer();
  try {
    for (let i = 0; i < 2 * LIMIT; i++) {
      const answer = await call(open, 'POST', '/api/auth/sign-in/email', { body: { email: newEmail(), password: PASSWORD } });
      assert.equal(answer.status, 401);
    }
  } finally {
    await open.stop();
  }
});
