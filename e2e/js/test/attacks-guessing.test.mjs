// Attacks by guessing: who has an account, by answers and by their time, and codes.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { NEW_PASSWORD, startAccounts } from '../lib/accounts.mjs';
import { sessionCookie, standingOf } from '../lib/attacks.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD, superuser } from '../lib/people.mjs';
import { startServer } from '../lib/server.mjs';
import { useSMTP } from '../lib/smtp.mjs';

let house, server, smtp, root, signsIn;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root, signsIn } = house);
});
after(() => house?.stop());

const post = (path, body, headers) => call(server, 'POST', path, { body, headers });

describe('who has an account', () => {
  const shown = ({ status, text, headers }) => JSON.stringify([status, text, [...headers].filter(([name]) => !['date', 'retry-after', 'x-retry-after'].includes(name))]);
  const same = (answers) => assert.equal(new Set(answers.map(shown)).size, 1, answers.map(shown).join('\n'));
  const ROADS = {
    'Better Auth’s': (email, password) => post('/api/auth/sign-in/email', { email, password }),
    'PocketBase’s': (identity, password) => post('/api/collections/users/auth-with-password', { identity, password }),
  };

  for (const [road, attempt] of Object.entries(ROADS)) {
    test(`sign-in by ${road} road does not tell, by body, status or headers`, async () => {
      const user = await newUser(server);
      same([await attempt(user.email, 'wrong-password'), await attempt(newEmail(), 'wrong-password'), await attempt(user.email, 'x'.repeat(200)), await attempt(newEmail(), 'x'.repeat(200))]);
    });

    test(`sign-in by ${road} road does not tell by its time`, async (t) => {
      const user = await newUser(server);
      const times = { known: [], unknown: [] };
      for (let i = 0; i < 15; i++) {
        for (const [who, email] of [['known', user.email], ['unknown', newEmail()]]) {
          const start = performance.now();
          await attempt(email, `wrong-password-${i}`);
          times[who].push(performance.now() - start);
        }
      }
      const [known, unknown] = [times.known, times.unknown].map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
      t.diagnostic(`median: known address ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms`);
      assert.ok(unknown > known / 3 && known > unknown / 3, `known ${known}, unknown ${unknown}`);
    });
  }

  test('asking for a reset, a verification or a code does not tell, on either road', async (t) => {
    const ask = {
      'request-password-reset': (email) => post('/api/auth/request-password-reset', { email }),
      'forget-password': (email) => post('/api/auth/forget-password', { email }),
      'send-verification-email': (email) => post('/api/auth/send-verification-email', { email }),
      'sign-in code': (email) => post('/api/auth/email-otp/send-verification-otp', { email, type: 'sign-in' }),
      'verification code': (email) => post('/api/auth/email-otp/send-verification-otp', { email, type: 'email-verification' }),
      'reset code': (email) => post('/api/auth/email-otp/send-verification-otp', { email, type: 'forget-password' }),
      'PocketBase’s reset': (email) => post('/api/collections/users/request-password-reset', { email }),
      'PocketBase’s verification': (email) => post('/api/collections/users/request-verification', { email }),
    };
    for (const [what, request] of Object.entries(ask)) {
      const [user, done] = [await newUser(server), await newUser(server)];
      await root.collection('users').update(done.id, { verified: true });
      const answers = [];
      const times = [];
      for (const email of [user.email, done.email, newEmail(), newEmail()]) {
        const start = performance.now();
        answers.push(await request(email));
        times.push((performance.now() - start).toFixed(1));
      }
      same(answers);
      t.diagnostic(`${what}: unverified ${times[0]}, verified ${times[1]}, unknown ${times[2]} and ${times[3]} ms`);
    }
  });

  test('PocketBase’s code request answers an unknown address like a known one', async () => {
    const ask = (email) => post('/api/collections/users/request-otp', { email });
    const [known, unknown] = [await ask((await newUser(server)).email), await ask(newEmail())];
    assert.deepEqual([known.status, Object.keys(known.body)], [unknown.status, Object.keys(unknown.body)]);
    assert.equal(known.body.otpId.length, unknown.body.otpId.length);
  });

  test('where an address must be verified first, sign-up answers one that is taken like a new one', async () => {
    const { authRule } = await root.collections.getOne('users');
    const taken = await newUser(server);
    await root.collections.update('users', { authRule: 'verified = true' });
    try {
      const before = await standingOf(root, taken);
      const answers = [];
      for (const email of [taken.email, newEmail()]) answers.push([email, await post('/api/auth/sign-up/email', { name: 'Grace', email, password: NEW_PASSWORD })]);
      for (const [email, { status, body, headers }] of answers) {
        const { id, createdAt, updatedAt, ...user } = body.user;
        assert.deepEqual([status, body.token, user], [200, null, { name: 'Grace', email, emailVerified: false }], JSON.stringify(body));
        assert.match(id, /^[a-z0-9]{15}$/);
        assert.ok(Date.now() - Date.parse(createdAt) < 60_000 && createdAt === updatedAt);
        assert.equal(headers.get('set-auth-token'), null);
        assert.deepEqual(headers.getSetCookie(), []);
      }
      assert.notEqual(answers[0][1].body.user.id, taken.id);
      assert.equal(answers[0][1].text.length - answers[0][0].length, answers[1][1].text.length - answers[1][0].length);
      assert.equal(await standingOf(root, taken), before);
      await smtp.noMail(taken.email);
    } finally {
      await root.collections.update('users', { authRule });
    }
    assert.equal(await signsIn(taken.email, PASSWORD), true, 'the password is the old one');
  });
});

describe('guessing', () => {
  test('PocketBase’s codes: the sixth guess at one is 429, also when it is right, and so is the fourth request in ten seconds', async () => {
    const strict = await startServer({ env: { AUTH_RATE_LIMIT: '3' } });
    try {
      const admin = await superuser(strict);
      const { otp } = await admin.collections.getOne('users');
      await admin.collections.update('users', { otp: { ...otp, enabled: true } });
      await useSMTP(admin, smtp);
      const { email } = await newUser(strict);
      const ask = (address) => call(strict, 'POST', '/api/collections/users/request-otp', { body: { email: address } });
      const { otpId } = (await ask(email)).body;
      const code = /\b\d{8}\b/.exec((await smtp.waitForMail(email)).text)[0];
      const guess = async (password) => (await call(strict, 'POST', '/api/collections/users/auth-with-otp', { body: { otpId, password } })).status;
      const statuses = [];
      for (let i = 0; i < 5; i++) statuses.push(await guess(`x${code.slice(1)}`));
      assert.deepEqual([...statuses, await guess(code)], [400, 400, 400, 400, 400, 429]);
      assert.deepEqual([(await ask(newEmail())).status, (await ask(newEmail())).status, (await ask(newEmail())).status], [200, 200, 429]);
    } finally {
      await strict.stop();
    }
  });

  test('a made-up X-Forwarded-For gives no fresh tries, and does not name the session’s address', async () => {
    const user = await newUser(server);
    const headers = { 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9', 'CF-Connecting-IP': '203.0.113.9', Forwarded: 'for=203.0.113.9', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
    const answer = await post('/api/auth/sign-in/email', { email: user.email, password: PASSWORD }, headers);
    const { session } = (await call(server, 'GET', '/api/auth/get-session', { token: answer.body.token })).body;
    assert.equal(session.ipAddress, '127.0.0.1');
    assert.match(sessionCookie(answer), /^better-auth\./, 'nor makes it https');
    // The counting itself: throttle.test.mjs, "a made-up X-Forwarded-For is no other address".
  });
});
