// Sessions of both roads, side by side: PocketBase's SDK opens and renews them, Better Auth's client lists and ends
// them, an admin sees and ends each of them.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthClient as createNewest } from 'better-auth/client';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { call } from '../lib/http.mjs';
import { mint, newUser, PASSWORD, sdk, sdkFor, signIn, superuser } from '../lib/people.mjs';
import { eventually, hangUp, QUIET_MS, watch } from '../lib/realtime.mjs';
import { startServer } from '../lib/server.mjs';
import { startSMTP, useSMTP } from '../lib/smtp.mjs';

let server, root, smtp;
before(async () => {
  server = await startServer();
  root = await superuser(server);
  smtp = await startSMTP();
  await useSMTP(root, smtp);
});
after(async () => {
  await server?.stop();
  await smtp?.close();
});

const sessions = (pb) => pb.collection('sessions');

/** The session that a PocketBase token names. */
const sid = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sid;

const works = async (token) => {
  const { status, text } = await call(server, 'GET', '/api/wallet/balance', { token });
  assert.ok(status === 200 || status === 401, `${status} ${text}`);
  return status === 200;
};

/** Better Auth's client, holding any token. */
const betterAuth = (createAuthClient, token) =>
  createAuthClient({ baseURL: server.url, fetchOptions: { auth: { type: 'Bearer', token } } });

describe('PocketBase’s roads', () => {
  test('a password opens a session that the owner and an admin see', async () => {
    const user = await newUser(server);
    const pb = await sdkFor(server, user);
    for (const client of [pb, root]) {
      const row = await sessions(client).getOne(sid(pb.authStore.token));
      assert.equal(row.user, user.id);
      assert.equal(row.kind, 'pocketbase');
      assert.equal(row.ip_address, '127.0.0.1');
      assert.match(row.user_agent, /node/i);
      for (const column of ['created_at', 'last_used_at']) assert.ok(Math.abs(Date.now() - Date.parse(row[column])) < 60_000, row[column]);
      assert.ok(Date.parse(row.expires_at) > Date.now() + 86_400_000, row.expires_at);
      assert.ok(!('token_hash' in row) && !('token_key_hash' in row));
    }
    assert.deepEqual((await sessions(pb).getFullList()).map((row) => row.kind).sort(), ['better_auth', 'pocketbase']);
  });

  test('authRefresh keeps the session; an admin’s delete ends old and new token at once', async () => {
    const pb = await sdkFor(server, await newUser(server));
    const first = pb.authStore.token;
    await sleep(1_100); // a token made in the same second is the same
    await pb.collection('users').authRefresh();
    const second = pb.authStore.token;
    assert.notEqual(second, first);
    assert.equal(sid(second), sid(first));
    await sessions(root).delete(sid(first));
    assert.deepEqual([await works(first), await works(second)], [false, false]);
    await assert.rejects(pb.collection('users').authRefresh(), { status: 401 });
    await assert.rejects(pb.files.getToken(), { status: 401 });
    assert.equal((await pb.collection('wallets').getList(1, 1)).totalItems, 0);
  });

  test('a code by mail opens a session', async () => {
    const users = await root.collections.getOne('users');
    await root.collections.update('users', { otp: { ...users.otp, enabled: true } });
    const user = await newUser(server);
    const pb = sdk(server);
    const { otpId } = await pb.collection('users').requestOTP(user.email);
    const mail = await smtp.waitForMail(user.email);
    const [code] = /\b\d{8}\b/.exec(mail.text);
    await pb.collection('users').authWithOTP(otpId, code);
    assert.equal((await sessions(root).getOne(sid(pb.authStore.token))).kind, 'pocketbase');
    assert.ok(await works(pb.authStore.token));
    await sessions(root).delete(sid(pb.authStore.token));
    assert.ok(!await works(pb.authStore.token));
  });

  test('an admin’s impersonation is shown as such, is not refreshable, and can be ended', async () => {
    const user = await newUser(server);
    const pb = await root.collection('users').impersonate(user.id, 600);
    const { token } = pb.authStore;
    const row = await sessions(root).getOne(sid(token));
    assert.equal(row.kind, 'impersonation');
    assert.ok(Math.abs(Date.parse(row.expires_at) - Date.now() - 600_000) < 60_000, row.expires_at);
    assert.equal((await pb.collection('users').authRefresh()).token, token);
    assert.ok(await works(token));
    await sessions(root).delete(row.id);
    assert.ok(!await works(token));
  });

  test('a client logs out by deleting its own session, and cannot touch another’s', async () => {
    const [mine, theirs] = [await sdkFor(server, await newUser(server)), await sdkFor(server, await newUser(server))];
    await assert.rejects(sessions(mine).delete(sid(theirs.authStore.token)), { status: 404 });
    await assert.rejects(sessions(mine).update(sid(mine.authStore.token), { expires_at: '2099-01-01 00:00:00.000Z' }), { status: 403 });
    await sessions(mine).delete(sid(mine.authStore.token));
    assert.deepEqual([await works(mine.authStore.token), await works(theirs.authStore.token)], [false, true]);
  });

  test('a password reset by mail ends sessions of both kinds', async () => {
    const user = await newUser(server);
    const pb = await sdkFor(server, user);
    await pb.collection('users').requestPasswordReset(user.email);
    const mail = await smtp.waitForMail(user.email);
    const [token] = /[\w-]+\.[\w-]+\.[\w-]+/.exec(mail.links.find((link) => /[\w-]+\.[\w-]+\.[\w-]{20,}/.test(link))).slice(0, 1);
    await sdk(server).collection('users').confirmPasswordReset(token, 'another-password-1', 'another-password-1');
    assert.deepEqual([await works(pb.authStore.token), await works(user.token)], [false, false]);
    assert.equal((await sessions(root).getFullList({ filter: `user = "${user.id}"` })).length, 0);
    await pb.collection('users').authWithPassword(user.email, 'another-password-1');
    assert.ok(await works(pb.authStore.token));
  });

  test('an admin’s new token key ends sessions of both kinds', async () => {
    const user = await newUser(server);
    const pb = await sdkFor(server, user);
    await root.collection('users').update(user.id, { tokenKey: 'x'.repeat(40) + Math.random().toString(36).slice(2, 12) });
    assert.deepEqual([await works(pb.authStore.token), await works(user.token)], [false, false]);
  });
});

for (const [version, createAuthClient] of [['newest', createNewest], ['1.4.3', create143]]) {
  describe(`Better Auth client ${version}`, () => {
    test('lists sessions of both kinds and ends one of PocketBase’s', async () => {
      const user = await newUser(server);
      const pb = await sdkFor(server, user);
      const client = betterAuth(createAuthClient, user.token);
      const { data } = await client.listSessions();
      assert.equal(data.length, 2);
      const other = data.find((session) => session.id === sid(pb.authStore.token));
      assert.ok(other, JSON.stringify(data));
      assert.equal(JSON.stringify(data).includes(pb.authStore.token), false);
      assert.equal((await client.revokeSession({ token: other.token })).data.status, true);
      assert.deepEqual([await works(pb.authStore.token), await works(user.token)], [false, true]);
    });

    test('works with a PocketBase token, and ends the other road’s session', async () => {
      const user = await newUser(server);
      const pb = await sdkFor(server, user);
      const client = betterAuth(createAuthClient, pb.authStore.token);
      const { data } = await client.getSession();
      assert.equal(data.user.id, user.id);
      assert.equal(data.session.token, pb.authStore.token);
      assert.equal((await client.revokeOtherSessions()).data.status, true);
      assert.deepEqual([await works(pb.authStore.token), await works(user.token)], [true, false]);
      assert.equal((await client.signOut()).data.success, true);
      assert.ok(!await works(pb.authStore.token));
    });

    test('revokeSessions ends both kinds, impersonation included', async () => {
      const user = await newUser(server);
      const pb = await sdkFor(server, user);
      const impersonated = await root.collection('users').impersonate(user.id, 600);
      const second = await signIn(server, user);
      const client = betterAuth(createAuthClient, user.token);
      assert.equal((await client.revokeSessions()).data.status, true);
      for (const token of [pb.authStore.token, impersonated.authStore.token, second, user.token]) assert.ok(!await works(token));
    });
  });
}

describe('realtime', () => {
  afterEach(hangUp);

  test('a client falls silent with its session, whichever kind', async () => {
    const user = await newUser(server);
    const [ended, alive] = [await sdkFor(server, user), await sdkFor(server, user)];
    const other = sdk(server);
    other.beforeSend = (url, options) => ({ url, options: { ...options, headers: { ...options.headers, Authorization: user.token } } });
    const heard = await watch(ended, 'wallets', user.id);
    const heardByOther = await watch(other, 'wallets', user.id);
    const heardByAlive = await watch(alive, 'wallets', user.id);
    await mint(server, root, user, 5);
    assert.ok(await eventually(() => heard.length && heardByOther.length && heardByAlive.length));
    const before = [heard.length, heardByOther.length];
    await sessions(root).delete(sid(ended.authStore.token));
    assert.equal((await call(server, 'POST', '/api/auth/sign-out', { token: user.token })).status, 200);
    const known = heardByAlive.length;
    await mint(server, root, user, 7);
    assert.ok(await eventually(() => heardByAlive.length > known));
    await sleep(QUIET_MS);
    assert.deepEqual([heard.length, heardByOther.length], before);
  });
});
