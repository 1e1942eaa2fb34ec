// PocketBase's JS SDK: accounts, wallets and realtime, and that both sign-in roads lead to one account.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, sdk, sdkFor, signIn, superuser } from '../lib/people.mjs';
import { eventually, hangUp, QUIET_MS, watch } from '../lib/realtime.mjs';
import { startServer } from '../lib/server.mjs';

let server, root;
before(async () => {
  server = await startServer();
  root = await superuser(server);
});
after(() => server?.stop());

/** A user made by the SDK, signed in on the client it gives. */
async function sdkUser(name = 'Grace') {
  const pb = sdk(server);
  const email = newEmail();
  const record = await pb.collection('users').create({ email, password: PASSWORD, passwordConfirm: PASSWORD, name });
  await pb.collection('users').authWithPassword(email, PASSWORD);
  return { pb, id: record.id, email, password: PASSWORD, name };
}

describe('the SDK alone', () => {
  test('health.check keeps PocketBase’s keys and adds the seed’s', async () => {
    const health = await sdk(server).health.check();
    assert.equal(health.code, 200);
    assert.equal(health.message, 'API is healthy.');
    assert.deepEqual(health.data, {});
    assert.equal(health.status, 'healthy');
    assert.ok(Math.abs(Date.now() - Date.parse(health.timestamp)) < 60_000, health.timestamp);
    assert.equal(typeof health.environment, 'string');
  });

  test('create, then authWithPassword: the record is the account', async () => {
    const { pb, id, email, name } = await sdkUser();
    assert.equal(pb.authStore.record.id, id);
    assert.equal(pb.authStore.record.email, email);
    assert.equal(pb.authStore.record.name, name);
    assert.equal((await pb.collection('users').authRefresh()).record.id, id);
  });

  test('a wrong password, and a short one at sign-up, are 400', async () => {
    const { email } = await sdkUser();
    await assert.rejects(sdk(server).collection('users').authWithPassword(email, 'not-the-password'), { status: 400 });
    const short = { email: newEmail(), password: 'seven-7', passwordConfirm: 'seven-7', name: 'Grace' };
    await assert.rejects(sdk(server).collection('users').create(short), (error) => error.status === 400 && 'password' in error.response.data);
  });

  test('a new user reads its own wallet, as a record and by the wallet API', async () => {
    const { pb, id } = await sdkUser();
    const wallet = await pb.collection('wallets').getFirstListItem(pb.filter('subject_id = {:id}', { id }));
    assert.equal(wallet.subject_type, 'user');
    assert.equal(wallet.subject_id, id);
    assert.equal(wallet.balance_tokens, 0);
    assert.equal(wallet.held_tokens, 0);
    assert.equal(wallet.frozen, false);

    const { updatedAt, ...balance } = await pb.send('/api/wallet/balance', {});
    assert.deepEqual(balance, { balance: 0, held: 0, available: 0, frozen: false, planId: 'free_plan', maxConcurrentSessions: 1, rateLimitRpm: 60, nextExpiry: null });
    assert.ok(Date.parse(updatedAt) > 0, updatedAt);
  });

  test('minted tokens show in the record, the ledger record and the wallet API alike', async () => {
    const user = await sdkUser();
    await mint(server, root, user, 700);
    await mint(server, root, user, 77);
    assert.equal((await user.pb.collection('wallets').getFullList())[0].balance_tokens, 777);
    assert.equal((await user.pb.send('/api/wallet/balance', {})).balance, 777);
    const entries = await user.pb.collection('wallet_ledger').getFullList({ sort: 'amount_tokens' });
    assert.deepEqual(entries.map((entry) => [entry.event_type, entry.amount_tokens]), [['mint', 77], ['mint', 700]]);
  });
});

describe('an admin in the dashboard', () => {
  test('moves a user to another plan by editing the entitlement, effective at once', async () => {
    const user = await newUser(server);
    const limits = async () => {
      const { body } = await call(server, 'GET', '/api/wallet/balance', { token: user.token });
      return [body.planId, body.maxConcurrentSessions, body.rateLimitRpm];
    };
    assert.deepEqual(await limits(), ['free_plan', 1, 60]);
    const { id } = await root.collection('entitlements').getFirstListItem(root.filter('subject_id = {:id}', { id: user.id }));
    await root.collection('entitlements').update(id, { plan_id: 'pro_plan' });
    assert.deepEqual(await limits(), ['pro_plan', 5, 300]);
    await root.collection('entitlements').update(id, { rate_limit_rpm: 301 });
    assert.deepEqual(await limits(), ['pro_plan', 5, 301]);
  });

  test('ends a session by deleting it', async () => {
    const user = await newUser(server);
    const alive = async () => (await call(server, 'GET', '/api/auth/get-session', { token: user.token })).body !== null;
    assert.equal(await alive(), true);
    const [{ id }] = await root.collection('sessions').getFullList({ filter: root.filter('user = {:id}', { id: user.id }) });
    await root.collection('sessions').delete(id);
    assert.equal(await alive(), false);
  });
});

describe('two roads, one account', () => {
  test('a Better Auth user signs in by the SDK with the same password and sees the same wallet', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 41);
    const pb = await sdkFor(server, user);
    assert.equal(pb.authStore.record.id, user.id);
    const bySession = await call(server, 'GET', '/api/wallet/balance', { token: user.token });
    assert.equal(bySession.body.balance, 41);
    assert.deepEqual(await pb.send('/api/wallet/balance', {}), bySession.body);
    assert.equal((await pb.collection('wallets').getFirstListItem(pb.filter('subject_id = {:id}', { id: user.id }))).balance_tokens, 41);
  });

  test('an SDK user signs in by Better Auth with the same password and sees the same wallet', async () => {
    const user = await sdkUser();
    await mint(server, root, user, 42);
    const token = await signIn(server, user);
    const session = await call(server, 'GET', '/api/auth/get-session', { token });
    assert.equal(session.body.user.id, user.id);
    assert.equal(session.body.user.email, user.email);
    assert.equal(session.body.user.name, user.name);
    const bySession = await call(server, 'GET', '/api/wallet/balance', { token });
    assert.equal(bySession.body.balance, 42);
    assert.deepEqual(bySession.body, await user.pb.send('/api/wallet/balance', {}));
  });

  test('an e-mail taken by one road is taken on the other', async () => {
    const better = await newUser(server);
    const again = { email: better.email.toUpperCase(), password: PASSWORD, passwordConfirm: PASSWORD, name: 'Eve' };
    await assert.rejects(sdk(server).collection('users').create(again), (error) => error.status === 400 && 'email' in error.response.data);
    const grace = await sdkUser();
    const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Eve', email: grace.email, password: PASSWORD } });
    assert.equal(answer.status, 422);
    assert.equal(answer.body.code, 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL');
  });

  test('a password is the same password in any Unicode form, by either road', async () => {
    const composed = 'pässwörd ﬁ №';
    const plain = composed.normalize('NFKC');
    const decomposed = composed.normalize('NFD');
    const email = newEmail();
    const up = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Zoë', email, password: composed } });
    assert.equal(up.status, 200, up.text);
    for (const password of [composed, plain, decomposed]) {
      assert.equal((await call(server, 'POST', '/api/auth/sign-in/email', { body: { email, password } })).status, 200);
      assert.equal((await sdk(server).collection('users').authWithPassword(email, password)).record.id, up.body.user.id);
    }
  });

  for (const [road, make] of [['Better Auth', () => newUser(server)], ['the SDK', () => sdkUser()]]) {
    test(`sign-up by ${road} makes one app_user, one wallet and one entitlement on the free plan`, async () => {
      const user = await make();
      const rowsOf = (collection, field) => root.collection(collection).getFullList({ filter: root.filter(`${field} = {:id}`, { id: user.id }) });
      assert.equal((await rowsOf('users', 'id')).length, 1);
      assert.equal((await rowsOf('app_user', 'better_auth_user_id')).length, 1);
      const wallets = await rowsOf('wallets', 'subject_id');
      assert.deepEqual(wallets.map((row) => [row.subject_type, row.balance_tokens]), [['user', 0]]);
      const entitlements = await rowsOf('entitlements', 'subject_id');
      assert.deepEqual(entitlements.map((row) => [row.subject_type, row.plan_id, row.max_concurrent_sessions, row.rate_limit_rpm]), [['user', 'free_plan', 1, 60]]);
    });

    test(`a refused sign-up by ${road} leaves nothing behind`, async () => {
      const { email } = await make();
      const count = async () => Promise.all(['users', 'app_user', 'wallets', 'entitlements'].map(async (name) => (await root.collection(name).getList(1, 1)).totalItems));
      const earlier = await count();
      await assert.rejects(sdk(server).collection('users').create({ email, password: PASSWORD, passwordConfirm: PASSWORD, name: 'Eve' }));
      await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Eve', email, password: PASSWORD } });
      assert.deepEqual(await count(), earlier);
    });
  }
});

describe('a Better Auth session on PocketBase’s record API', () => {
  test('lists the caller’s own wallet and nobody else’s, until sign-out', async () => {
    const user = await newUser(server);
    await newUser(server);
    const pb = sdk(server);
    const headers = { Authorization: `Bearer ${user.token}` };
    const wallets = () => pb.collection('wallets').getFullList({ headers });
    assert.deepEqual((await wallets()).map((wallet) => wallet.subject_id), [user.id]);
    assert.equal((await pb.collection('users').getOne(user.id, { headers })).email, user.email);

    assert.equal((await call(server, 'POST', '/api/auth/sign-out', { token: user.token })).status, 200);
const rest = await wallets().catch(({ status }) => (status === 401 || status === 403 ? [] : [status]));
    assert.deepEqual(rest, []);
    await assert.rejects(pb.collection('users').getOne(user.id, { headers }), (error) => [401, 403, 404].includes(error.status));
  });

  test('the signed form of the token works there too', async () => {
    const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email: newEmail(), password: PASSWORD } });
    const headers = { Authorization: `Bearer ${answer.headers.get('set-auth-token')}` };
    const wallets = await sdk(server).collection('wallets').getFullList({ headers });
    assert.deepEqual(wallets.map((wallet) => wallet.subject_id), [answer.body.user.id]);
  });
});

describe('realtime', () => {
  afterEach(hangUp);

  test('a mint reaches the wallet’s owner and nobody else', async () => {
    const [owner, other] = await Promise.all([sdkUser(), sdkUser()]);
    const [seen, elsewhere] = await Promise.all([watch(owner.pb, 'wallets', '*'), watch(other.pb, 'wallets', '*')]);
    await mint(server, root, owner, 5);
    assert.ok(await eventually(() => seen.length > 0), 'no event arrived');
    assert.equal(seen[0].action, 'update');
    assert.equal(seen[0].record.subject_id, owner.id);
    assert.equal(seen[0].record.balance_tokens, 5);
    await sleep(QUIET_MS);
    assert.deepEqual(elsewhere, []);

    await mint(server, root, other, 6);
    assert.ok(await eventually(() => elsewhere.length > 0), 'the other subscription was deaf');
    assert.equal(elsewhere[0].record.balance_tokens, 6);
  });

  test('after a burst of mints the last event carries the last balance', async () => {
    const owner = await sdkUser();
    const seen = await watch(owner.pb, 'wallets', '*');
    for (let i = 0; i < 10; i++) await mint(server, root, owner, 1);
    assert.ok(await eventually(() => seen.at(-1)?.record.balance_tokens === 10), `last seen: ${seen.at(-1)?.record.balance_tokens}`);
  });
});
