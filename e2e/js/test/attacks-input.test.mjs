// Attacks by what is typed: fields nobody may set, and texts that are SQL, headers or pages elsewhere.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startAccounts } from '../lib/accounts.mjs';
import { rawRequest, TEXTS } from '../lib/attacks.mjs';
import { mailedCode } from '../lib/codes.mjs';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, sdkFor } from '../lib/people.mjs';

let house, server, smtp, root, signsIn;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root, signsIn } = house);
});
after(() => house?.stop());

const TABLES = ['users', 'app_user', 'wallets', 'entitlements', 'wallet_ledger', 'plans', 'sessions', 'api_keys', 'memberships', '_superusers', '_externalAuths'];
const counts = async () => Object.fromEntries(await Promise.all(TABLES.map(async (name) => [name, (await root.collection(name).getList(1, 1)).totalItems])));
const rowOf = (collection, column, id) => root.collection(collection).getFirstListItem(root.filter(`${column} = {:id}`, { id }));

describe('fields that nobody may set', () => {
  const WISHES = {
    id: 'aaaaaaaaaaaaaaa', emailVerified: true, verified: true, role: 'admin', roles: ['admin'], isAdmin: true, admin: true, banned: false, balance: 1e6, balance_tokens: 1e6,
    tokenKey: 'x'.repeat(50), created: '2001-01-01 00:00:00.000Z', createdAt: '2001-01-01T00:00:00.000Z', updated: '2001-01-01 00:00:00.000Z', emailVisibility: true,
    plan_id: 'unlimited_plan', planId: 'unlimited_plan', collectionId: '_superusers', collectionName: '_superusers', subscription: 'unlimited', accounts: [{ providerId: 'google' }],
    sessions: [], wallet: { balance: 5 }, passwordHash: '$2a$10$x', 'password:autogenerate': '', '+balance_tokens': 5, 'id:autogenerate': '', ['__proto__']: { role: 'admin' }, constructor: { prototype: { role: 'admin' } },
  };
  const form = (fields) => new URLSearchParams(Object.entries(fields).map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : String(value)])).toString();

  /** A user who signed up with wishes has the rows of any other. */
  async function isOrdinary(email) {
    const row = await rowOf('users', 'email', email);
    assert.notEqual(row.id, WISHES.id);
    assert.deepEqual([row.verified, row.emailVisibility, row.collectionName], [false, false, 'users']);
    assert.ok(Date.now() - Date.parse(row.created) < 60_000, row.created);
    assert.ok(Date.now() - Date.parse(row.updated) < 60_000, row.updated);
    const [wallet, entitlement] = [await root.collection('wallets').getOne(row.id), await rowOf('entitlements', 'subject_id', row.id)];
    assert.deepEqual([wallet.balance_tokens, wallet.held_tokens, wallet.frozen, entitlement.plan_id], [0, 0, false, 'free_plan']);
  }

  for (const [what, signUp] of [
    ['sign-up/email, JSON', (email) => call(server, 'POST', '/api/auth/sign-up/email', { body: { ...WISHES, name: 'Eve', email, password: PASSWORD } })],
    ['sign-up/email, a form', (email) => call(server, 'POST', '/api/auth/sign-up/email', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: form({ ...WISHES, name: 'Eve', email, password: PASSWORD }) })],
    ['sign-up/email, a query', (email) => call(server, 'POST', `/api/auth/sign-up/email?${form(WISHES)}`, { body: { name: 'Eve', email, password: PASSWORD } })],
    ['sign-up/email, raw __proto__ and doubled keys', (email) => call(server, 'POST', '/api/auth/sign-up/email', { body: `{"__proto__":{"verified":true},"verified":false,"verified":true,"name":"Eve","email":${JSON.stringify(email)},"password":${JSON.stringify(PASSWORD)}}` })],
  ]) {
    test(`${what}: a user like any other`, async () => {
      const email = newEmail();
      const answer = await signUp(email);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.user.emailVerified, false);
      await isOrdinary(email);
      assert.equal(await signsIn(email, PASSWORD), true);
      assert.equal((await call(server, 'POST', '/api/wallet/mint', { token: answer.body.token, body: { amount: 5 } })).status, 403);
      const { memberships, _externalAuths } = await counts();
      assert.equal(memberships + _externalAuths, 0);
    });
  }

  test('PocketBase’s record API: each wish alone is refused or has no effect', async () => {
    for (const [field, value] of Object.entries(WISHES)) {
      if (['id', 'emailVisibility'].includes(field)) continue; // a user's to choose, by PocketBase's rules; ids follow below
      const email = newEmail();
      const answer = await call(server, 'POST', '/api/collections/users/records', { body: { name: 'Eve', email, password: PASSWORD, passwordConfirm: PASSWORD, [field]: value } });
      if (answer.status === 200) await isOrdinary(email);
      else assert.equal(answer.status, 400, `${field}: ${answer.text}`);
    }
  });

  test('PocketBase’s record API: nobody gets an id, and the wallet with it, that somebody has or had', async () => {
    const [taken, gone] = [await newUser(server), await newUser(server)];
    await mint(server, root, gone, 10);
    await root.collection('users').delete(gone.id);
    const before = await counts();
    for (const id of [taken.id, taken.id.toUpperCase(), gone.id, root.authStore.record.id.slice(0, 3), '../users', "' OR 1=1 --", 'plans']) {
      const email = newEmail();
      const answer = await call(server, 'POST', '/api/collections/users/records', { body: { id, email, password: PASSWORD, passwordConfirm: PASSWORD } });
      assert.equal(answer.status, 400, `${id}: ${answer.text}`);
      assert.equal(await signsIn(email, PASSWORD), false);
    }
    assert.deepEqual(await counts(), before);
    assert.equal((await root.collection('wallets').getOne(gone.id)).balance_tokens, 10);
  });

  test('sign-in by a code makes no other user than any sign-up', async () => {
    const email = newEmail();
    const otp = await mailedCode(server, smtp, email, 'sign-in');
    const answer = await call(server, 'POST', '/api/auth/sign-in/email-otp', { body: { ...WISHES, email, otp } });
    assert.equal(answer.status, 200, answer.text);
    const row = await rowOf('users', 'email', email);
    assert.notEqual(row.id, WISHES.id);
    assert.deepEqual([row.emailVisibility, row.collectionName, (await root.collection('wallets').getOne(row.id)).balance_tokens], [false, 'users', 0]);
    assert.ok(Date.now() - Date.parse(row.created) < 60_000);
    assert.equal((await rowOf('entitlements', 'subject_id', row.id)).plan_id, 'free_plan');
  });

  test('update-user, the profile and PocketBase’s update change no standing', async () => {
    const user = await newUser(server);
    const pocketBase = await sdkFor(server, user);
    const state = async () => {
      const { name, updated, ...row } = await root.collection('users').getOne(user.id);
      const { first_name: _, updated_at: __, updated: ___, ...profile } = await rowOf('app_user', 'better_auth_user_id', user.id);
      return JSON.stringify([row, profile, await root.collection('wallets').getOne(user.id), await rowOf('entitlements', 'subject_id', user.id)]);
    };
    const before = await state();
    const { emailVisibility, ...wishes } = WISHES;
    await call(server, 'PATCH', '/api/user/profile', { token: user.token, body: { ...wishes, firstName: 'Eve' } });
    for (const [field, value] of Object.entries(wishes)) {
      await call(server, 'POST', '/api/auth/update-user', { token: user.token, body: { name: 'Eve', [field]: value } });
      await pocketBase.collection('users').update(user.id, { name: 'Eve', [field]: value }).catch((error) => assert.ok([400, 403, 404].includes(error.status), `${field}: ${error.status}`));
    }
    assert.equal(await state(), before);
    assert.equal(await signsIn(user.email, PASSWORD), true);
    assert.notEqual((await call(server, 'GET', '/api/auth/get-session', { token: user.token })).body, null, 'nor the token key');
  });
});

describe('texts that are code elsewhere', () => {
  /** No answer carries a header of the attacker's making. */
  function clean(answer, where) {
    assert.ok(answer.status < 500, `${where}: ${answer.status} ${answer.text}`);
    assert.equal(answer.headers.get('x-injected'), null, where);
    for (const line of answer.headers.getSetCookie()) assert.match(line, /^better-auth\.[a-z_]+=([A-Za-z0-9]{32}\.[A-Za-z0-9%+/=]+|true\.[A-Za-z0-9%+/=]+|); /, where);
  }

  for (const text of TEXTS) {
    test(`${JSON.stringify(text)}: kept as it is, or refused`, async () => {
      const email = newEmail();
      const before = await counts();
      const up = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: text, image: text, email, password: PASSWORD }, headers: { 'User-Agent': text.replace(/[^\x20-\x7e]/g, ' ') } });
      clean(up, 'sign-up');
      assert.equal(up.status, 200, up.text);
      assert.deepEqual([up.body.user.name, up.body.user.image], [text, text]);
      const after = await counts();
      for (const table of TABLES) assert.equal(after[table] - before[table], ['users', 'app_user', 'wallets', 'entitlements', 'sessions'].includes(table) ? 1 : 0, table);

      const { token, user } = up.body;
      const seen = await call(server, 'GET', '/api/auth/get-session', { token });
      clean(seen, 'get-session');
      assert.deepEqual([seen.body.user.name, seen.body.session.userAgent], [text, text.replace(/[^\x20-\x7e]/g, ' ').trim()]);
      const patched = await call(server, 'PATCH', '/api/user/profile', { token, body: { firstName: text, lastName: text, name: text } });
      clean(patched, 'profile');
      if (patched.status === 200) assert.deepEqual([patched.body.user.firstName, patched.body.user.lastName, patched.body.user.name], [text.trim(), text.trim(), text.trim()]);

      for (const [method, path, body] of [
        ['POST', 'update-user', { name: text, image: text }], ['POST', 'revoke-session', { token: text }], ['POST', 'change-email', { newEmail: text }],
        ['POST', 'sign-in/email', { email: text, password: text }], ['POST', 'sign-in/email', { email, password: `${PASSWORD}${text}` }], ['POST', 'sign-in/email', { email, password: PASSWORD, callbackURL: text }],
        ['POST', 'sign-in/email', { email, password: PASSWORD, callbackURL: `/${text}` }],
        ['POST', 'sign-in/email-otp', { email, otp: text, name: text }], ['POST', 'email-otp/send-verification-otp', { email, type: text }], ['POST', 'one-time-token/verify', { token: text }],
        ['POST', 'reset-password', { token: text, newPassword: PASSWORD }], ['POST', 'request-password-reset', { email: text, redirectTo: text }], ['POST', 'send-verification-email', { email: text, callbackURL: text }],
        ['POST', 'sign-in/social', { provider: text }], ['POST', 'change-password', { currentPassword: text, newPassword: `${PASSWORD}${text}` }], ['POST', 'delete-user', { password: text }],
        ['GET', `callback/${encodeURIComponent(text)}?${new URLSearchParams({ state: text, code: text, error: text, error_description: text })}`], ['GET', `reset-password/${encodeURIComponent(text)}?callbackURL=/x`],
        ['GET', `verify-email?${new URLSearchParams({ token: text, callbackURL: '/x' })}`], ['GET', `error?${new URLSearchParams({ error: text, error_description: text })}`],
      ]) {
        const answer = await call(server, method, `/api/auth/${path}`, { token, body });
        clean(answer, path);
        assert.doesNotMatch(answer.headers.get('location') ?? '', /[\r\n]/);
        if (/html/.test(answer.headers.get('content-type') ?? '')) assert.doesNotMatch(answer.text, /<script>alert|<img src=x/, path);
      }
      for (const header of ['Authorization', 'x-api-key', 'X-Forwarded-For', 'X-Real-IP', 'Idempotency-Key', 'Origin', 'Referer']) {
        clean(await call(server, 'GET', '/api/auth/get-session', { headers: { [header]: text.replace(/[^\x20-\x7e]/g, ' ') } }), header);
      }
      assert.equal((await call(server, 'GET', '/api/auth/get-session', { token })).body.user.id, user.id, 'the account is whole, its password and token key the same');
      assert.deepEqual({ ...(await counts()), sessions: 0 }, { ...after, sessions: 0 });
    });
  }

  test('an address with SQL or a header in it is an address or is refused', async () => {
    const before = await counts();
    for (const email of ["x'or'1'='1@example.com", "a'--@example.com", '"a\r\nBcc: b"@example.com', 'a@example.com\r\nX: y', "a@example.com'; DROP TABLE users; --", 'a@example.com\u0000', '%@example.com', '*@example.com', 'user-%@example.com']) {
      for (const [path, body] of [
        ['/api/auth/sign-in/email', { email, password: PASSWORD }], ['/api/auth/sign-in/email-otp', { email, otp: '000000' }], ['/api/auth/email-otp/reset-password', { email, otp: '000000', password: PASSWORD }],
        ['/api/collections/users/auth-with-password', { identity: email, password: PASSWORD }],
      ]) {
        const answer = await call(server, 'POST', path, { body });
        assert.ok([400, 401].includes(answer.status), `${path} ${email}: ${answer.status} ${answer.text}`);
        clean(answer, path);
      }
    }
    assert.deepEqual(await counts(), before);
  });

  test('a header line folded or broken in the request is one request with that text, or none', async () => {
    for (const lines of ['User-Agent: a\r\n X-Injected: yes', 'User-Agent: a\nX-Injected: yes\r\nX: y', 'User-Agent: a\rX-Injected: yes', 'User-Agent : a', 'X-Forwarded-For: 1\0\r\nX: y', 'Content-Length: 3\r\nContent-Length: 5', 'Transfer-Encoding: chunked\r\nContent-Length: 5', 'Transfer-Encoding: x, chunked']) {
      const text = await new Promise((done, fail) => {
        let heard = '';
        const socket = connect(server.port, '127.0.0.1', () => socket.write(`GET /api/auth/get-session HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n${lines}\r\n\r\n0\r\n\r\n`));
        socket.on('data', (chunk) => { heard += chunk; });
        socket.on('close', () => done(heard)).on('error', fail);
        socket.setTimeout(3_000, () => socket.destroy());
      });
      assert.match(text, /^HTTP\/1\.1 (200|400|501) /, `${JSON.stringify(lines)}: ${text}`);
      assert.doesNotMatch(text, /^x-injected/im, lines);
    }
    assert.equal((await rawRequest(server, 'GET', '/api/auth/ok')).status, 200);
  });
});
