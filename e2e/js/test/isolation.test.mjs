// One user never sees a row of another, by any road of PocketBase's record API, and hashes are shown to nobody.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../lib/http.mjs';
import { mint, newUser, post, sdk, sdkFor, signIn, superuser } from '../lib/people.mjs';
import { eventually, hangUp, QUIET_MS, watch } from '../lib/realtime.mjs';
import { startServer } from '../lib/server.mjs';

/** Every collection with rows that belong to somebody, and the column that says to whom. */
const OWNER = {
  users: 'id',
  app_user: 'better_auth_user_id',
  wallets: 'subject_id',
  wallet_ledger: 'subject_id',
  usage_logs: 'subject_id',
  usage_daily: 'subject_id',
  entitlements: 'subject_id',
  sessions: 'user',
  api_keys: 'user',
  webhook_logs: 'user_id',
  audit_log: 'subject_id',
};
/** What not even the owner sees. */
const SUPERUSERS_ONLY = ['webhook_logs', 'audit_log'];

let server, root, ada, bob, guest;
/** Ada's row ids by collection, as the superuser sees them. */
const adasIds = {};

async function fullUser(name) {
  const user = await newUser(server, name);
  await mint(server, root, user, 1_000);
  await post(server, root, '/api/wallet/use', { userId: user.id, amount: 10 });
  await post(server, root, '/api/wallet/freeze', { userId: user.id, reason: 'a look at the books' });
  await post(server, root, '/api/wallet/unfreeze', { userId: user.id, reason: 'the books are right' });
  user.session2 = await signIn(server, user);
  const key = await call(server, 'GET', '/api/user/api-key', { token: user.token });
  assert.equal(key.status, 200, key.text);
  user.apiKey = key.body.apiKey;
  await root.collection('webhook_logs').create({ event_id: `evt_${user.id}`, event_type: 'test', user_id: user.id, raw_payload: `{"of":"${user.id}"}` });
  user.pb = await sdkFor(server, user);
  return user;
}

before(async () => {
  server = await startServer();
  root = await superuser(server);
  ada = await fullUser('Ada');
  bob = await fullUser('Bob');
  guest = sdk(server);
  for (const [collection, column] of Object.entries(OWNER)) {
    const rows = await root.collection(collection).getFullList({ filter: root.filter(`${column} = {:id}`, { id: ada.id }) });
    adasIds[collection] = rows.map((row) => row.id);
  }
});
after(async () => {
  hangUp();
  await server?.stop();
});

/** The rows of an answer, none when the server refuses the question. Only a 5xx is an error. */
async function rows(promise) {
  try {
    return (await promise).items;
  } catch (error) {
    assert.ok([400, 401, 403, 404].includes(error.status), `${error.status} ${error.message}`);
    return [];
  }
}

function noneOfAdas(items, collection) {
  const text = JSON.stringify(items);
  assert.ok(!text.includes(ada.id), `${collection}: a row names Ada: ${text}`);
  assert.ok(!text.includes(ada.email), `${collection}: a row has Ada's e-mail: ${text}`);
  for (const id of adasIds[collection]) assert.ok(!items.some((item) => item.id === id), `${collection}: Ada's row ${id}`);
}

test('Ada has rows in every collection, so that not seeing them means something', () => {
  for (const [collection, ids] of Object.entries(adasIds)) assert.ok(ids.length > 0, collection);
});

for (const [collection, column] of Object.entries(OWNER)) {
  describe(collection, () => {
    if (!SUPERUSERS_ONLY.includes(collection)) {
      test('the owner lists and views exactly their own rows', async () => {
        const { items } = await ada.pb.collection(collection).getList(1, 500);
        assert.deepEqual(items.map((item) => item.id).sort(), [...adasIds[collection]].sort());
        assert.equal((await ada.pb.collection(collection).getOne(adasIds[collection][0]))[column], ada.id);
      });
    }

    for (const [who, client] of [['another user', () => bob.pb], ['a guest', () => guest]]) {
      test(`${who} lists none of Ada's, filtered or not`, async () => {
        const filters = [
          undefined,
          'id != ""',
          `${column} = "${ada.id}"`,
          `${column} ?= "${ada.id}"`,
          `id = "${adasIds[collection][0]}"`,
          `id = "${adasIds[collection][0]}" || id != ""`,
          `${column} != @request.auth.id`,
          `@collection.wallets.subject_id ?= "${ada.id}"`,
          `@collection.users.email ?= "${ada.email}"`,
          '@request.headers.authorization:isset = true || id != ""',
          '@request.body.id:isset = false',
          `@request.query.x:isset = false && ${column} != ""`,
        ];
        for (const filter of filters) {
          noneOfAdas(await rows(client().collection(collection).getList(1, 500, filter === undefined ? {} : { filter })), collection);
        }
      });

      test(`${who} gets 404 or 403 for each of Ada's ids`, async () => {
        for (const id of adasIds[collection]) {
          for (const options of [{}, { fields: '*' }, { expand: 'user,plan_id,user_id', fields: '*,expand.*' }]) {
            await assert.rejects(client().collection(collection).getOne(id, options), (error) => [401, 403, 404].includes(error.status));
          }
        }
      });

      test(`${who} learns nothing by sort, expand, fields or skipTotal`, async () => {
        for (const options of [
          { sort: `-${column}` },
          { sort: '@random' },
          { sort: '@collection.wallets.balance_tokens' },
          { sort: '-@request.auth.id' },
          { fields: `id,${column}` },
          { expand: 'user,plan_id,wallets_via_subject_id,sessions_via_user.user,api_keys_via_user', fields: '*,expand.*' },
          { skipTotal: true },
          { filter: 'sessions_via_user.id ?!= "" || api_keys_via_user.id ?!= ""' },
        ]) {
          noneOfAdas(await rows(client().collection(collection).getList(1, 500, options)), collection);
        }
      });

      test(`${who} cannot change, delete or create there in Ada's name`, async () => {
        const target = client().collection(collection);
        const denied = (error) => [400, 401, 403, 404].includes(error.status);
        const [id] = adasIds[collection];
        const stored = await root.collection(collection).getOne(id);
        await assert.rejects(target.update(id, { [column]: bob.id }), denied);
        await assert.rejects(target.delete(id), denied);
        if (collection !== 'users') await assert.rejects(target.create({ ...stored, id: undefined }), denied);
        assert.deepEqual(await root.collection(collection).getOne(id), stored);
      });
    }
  });
}

test('a guest counts nothing in any of these collections', async () => {
  for (const collection of Object.keys(OWNER)) assert.deepEqual(await rows(guest.collection(collection).getList(1, 500)), [], collection);
});

test('plans and prices: what a guest and a user read of them', async (t) => {
  for (const collection of ['plans', 'prices']) {
    for (const [who, client] of [['guest', guest], ['user', bob.pb]]) {
      const items = await rows(client.collection(collection).getList(1, 500));
      t.diagnostic(`${who}: ${items.length} ${collection}, columns ${Object.keys(items[0] ?? {}).join(' ') || 'none'}`);
      assert.ok(!/sk-|secret|token_hash|key_hash/i.test(JSON.stringify(items)), `${collection} shows a secret to a ${who}`);
    }
  }
});

test('collections, settings, logs, backups and crons are closed to users', async () => {
  for (const path of ['/api/collections', '/api/settings', '/api/logs', '/api/backups', '/api/crons']) {
    for (const token of [undefined, bob.token, bob.pb.authStore.token]) {
      const answer = await call(server, 'GET', path, { token });
      assert.ok([401, 403].includes(answer.status), `${path}: ${answer.status}`);
    }
  }
});

describe('the wallet API', () => {
  test('naming another user in the query answers about the caller, or refuses', async () => {
    for (const path of ['balance', 'status', 'ledger', 'usage']) {
      for (const query of [`userId=${ada.id}`, `subjectType=user&subjectId=${ada.id}`]) {
        const answer = await call(server, 'GET', `/api/wallet/${path}?${query}`, { token: bob.token });
        assert.ok([200, 400, 403].includes(answer.status), `${path}: ${answer.status}`);
        assert.ok(!answer.text.includes(ada.id), `${path}?${query}: ${answer.text}`);
        for (const id of adasIds.wallet_ledger) assert.ok(!answer.text.includes(id), `${path}?${query}`);
      }
    }
  });
});

describe('realtime', () => {
  afterEach(hangUp);

  test('no topic of PocketBase brings one user another’s events', async () => {
    const owner = await sdkFor(server, ada);
    const spies = await Promise.all([sdkFor(server, bob), sdk(server)]);
    const own = await watch(owner, 'wallets', ada.id);
    const overheard = [];
    for (const spy of spies) {
      for (const [collection, topic, options] of [
        ['wallets', ada.id], ['wallets', '*'], ['wallets', '*', { filter: `subject_id = "${ada.id}"` }], ['wallets', '*', { expand: 'user', fields: '*' }],
        ['wallet_ledger', '*'], ['usage_logs', '*'], ['usage_daily', '*'], ['users', ada.id], ['users', '*'],
        ['app_user', '*'], ['entitlements', '*'], ['sessions', '*'], ['api_keys', '*'], ['audit_log', '*'],
      ]) overheard.push(await watch(spy, collection, topic, options));
    }
    await mint(server, root, ada, 5);
    await post(server, root, '/api/wallet/use', { userId: ada.id, amount: 1 });
    await call(server, 'PATCH', '/api/user/profile', { token: ada.token, body: { firstName: 'Augusta' } });
    await signIn(server, ada);
    assert.ok(await eventually(() => own.length > 0), 'not even the owner heard of the mint');
    await sleep(QUIET_MS);
    assert.deepEqual(overheard.flat(), []);
  });
});

describe('hidden columns', () => {
  const digests = (text) => ['hex', 'base64', 'base64url'].map((encoding) => createHash('sha256').update(text).digest(encoding));

  /** Fails when a text, as somebody got it, has a secret of Ada's or a hash of one. */
  function noSecret(text, where) {
    const secrets = [ada.token, ada.session2, ada.apiKey, ada.password];
    for (const secret of secrets) {
      assert.ok(!text.includes(secret), `${where} shows a secret`);
      for (const digest of digests(secret)) assert.ok(!text.includes(digest), `${where} shows the hash of a secret`);
    }
    assert.doesNotMatch(text, /\$2[aby]\$\d\d\$/, `${where} shows a bcrypt hash`);
    assert.doesNotMatch(text, /[0-9a-f]{32}:[0-9a-f]{128}/, `${where} shows a scrypt hash`);
    assert.doesNotMatch(text, /"(password|passwordHash|tokenKey|token_hash|token_key_hash|key_hash)":/, `${where} has a secret column`);
  }

  for (const [who, client] of [['a guest', () => guest], ['the owner', () => ada.pb], ['another user', () => bob.pb], ['the superuser', () => root]]) {
    test(`are in no answer to ${who}`, async () => {
      for (const collection of Object.keys(OWNER)) {
        for (const options of [{}, { fields: '*' }, { fields: 'id,token_hash,key_hash,password,tokenKey' }, { expand: 'user', fields: '*,expand.*' }]) {
          const list = await rows(client().collection(collection).getList(1, 500, options));
          noSecret(JSON.stringify(list), `${collection} as a list`);
        }
        const one = await client().collection(collection).getOne(adasIds[collection][0], { fields: '*' }).catch((error) => error.response);
        noSecret(JSON.stringify(one), `${collection} as one row`);
      }
    });
  }

  test('a user cannot feel for them with a filter or a sort', async () => {
    for (const [collection, column] of [['sessions', 'token_hash'], ['api_keys', 'key_hash'], ['users', 'password'], ['users', 'tokenKey']]) {
      for (const options of [{ filter: `${column} ~ "%"` }, { filter: `${column} != ""` }, { sort: column }]) {
        await assert.rejects(ada.pb.collection(collection).getList(1, 1, options), { status: 400 }, `${collection}.${column}`);
      }
    }
  });

  test('are in no realtime event and no API answer about the account', async () => {
    const pb = await sdkFor(server, ada);
    const events = await watch(pb, 'users', ada.id);
    const patched = await call(server, 'PATCH', '/api/user/profile', { token: ada.token, body: { name: 'Ada L.' } });
    assert.ok(await eventually(() => events.length > 0), 'no event arrived');
    noSecret(JSON.stringify(events), 'the event');
    noSecret(patched.text, 'the profile');
  });

  test('are not in the server’s output', () => {
    noSecret(server.output(), 'the output');
  });
});
