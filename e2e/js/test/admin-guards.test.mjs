// A superuser's side doors to the money are shut, and each says where the right door is.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mint, newUser, post, superuser } from '../lib/people.mjs';
import { startServer } from '../lib/server.mjs';

const RIGHT_DOOR = /\/api\/wallet\/|sqlite3|migration/;
/** The tables nobody writes by hand. */
const MONEY = ['wallets', 'wallet_ledger', 'usage_logs', 'usage_daily', 'audit_log'];

let server, root, user;
const row = {};
let earlier;

/** Everything a side door could have changed. */
async function books() {
  const all = {};
  for (const collection of [...MONEY, 'prices']) all[collection] = await root.collection(collection).getFullList({ sort: 'id' });
  return all;
}

before(async () => {
  server = await startServer();
  root = await superuser(server);
  user = await newUser(server);
  await mint(server, root, user, 1_000);
  await post(server, root, '/api/wallet/use', { userId: user.id, amount: 10 });
  await post(server, root, '/api/wallet/freeze', { userId: user.id, reason: 'a look at the books' });
  await post(server, root, '/api/wallet/unfreeze', { userId: user.id, reason: 'the books are right' });
  await root.settings.update({ batch: { enabled: true, maxRequests: 50, timeout: 3 } });
  earlier = await books();
  for (const [collection, rows] of Object.entries(earlier)) [row[collection]] = rows;
});
after(() => server?.stop());

/** The call is refused with a 4xx that names the right door, and changed nothing. */
async function refused(promise, door = RIGHT_DOOR) {
  const answer = await promise.then((value) => ({ value }), (error) => error);
  assert.ok(answer.status >= 400 && answer.status < 500, `not refused: ${JSON.stringify(answer.value ?? answer)}`);
  const text = JSON.stringify(answer.response);
  assert.match(text, door);
  assert.deepEqual(await books(), earlier);
}

/** A change to each table that would be a lie. */
const CHANGE = {
  wallets: { balance_tokens: 999_999 },
  wallet_ledger: { amount_tokens: 999_999 },
  usage_logs: { total_tokens: 999_999 },
  usage_daily: { tokens: 999_999 },
  audit_log: { reason: 'never happened' },
};

test('each table has a row to attack', () => {
  for (const collection of MONEY) assert.ok(row[collection]?.id, collection);
});

for (const collection of MONEY) {
  describe(collection, () => {
    const copy = () => {
      const { id, collectionId, collectionName, ...fields } = row[collection];
      return { ...fields, ...CHANGE[collection] };
    };

    test('no record is created', () => refused(root.collection(collection).create(copy())));
    test('no record is updated', () => refused(root.collection(collection).update(row[collection].id, CHANGE[collection])));
    test('no record is updated with the values it has', () => refused(root.collection(collection).update(row[collection].id, {})));
    test('no record is deleted', () => refused(root.collection(collection).delete(row[collection].id)));

    for (const [what, add] of [
      ['create', (batch) => batch.collection(collection).create(copy())],
      ['update', (batch) => batch.collection(collection).update(row[collection].id, CHANGE[collection])],
      ['upsert', (batch) => batch.collection(collection).upsert({ id: row[collection].id, ...CHANGE[collection] })],
      ['delete', (batch) => batch.collection(collection).delete(row[collection].id)],
    ]) {
      test(`no batch does a ${what}`, () => {
        const batch = root.createBatch();
        add(batch);
        return refused(batch.send());
      });
    }

    test('is not truncated', () => refused(root.collections.truncate(collection)));
    test('is not deleted as a collection', () => refused(root.collections.delete(collection)));
    test('opens no rule', () => refused(root.collections.update(collection, { listRule: '', createRule: '', updateRule: '', deleteRule: '' })));
    test('is not renamed', () => refused(root.collections.update(collection, { name: `${collection}_old` })));
    test('loses no column', async () => {
      const { fields } = await root.collections.getOne(collection);
      const [kept, ...rest] = fields.filter((field) => !field.system);
      assert.ok(kept && rest.length);
      return refused(root.collections.update(collection, { fields: fields.filter((field) => field.name !== kept.name) }));
    });
  });
}

describe('prices', () => {
  const door = /\/api\/wallet\/|sqlite3|migration|new row|new price|insert-only/i;
  test('no record is updated', () => refused(root.collection('prices').update(row.prices.id, { margin_ppm: 0 }), door));
  test('no record is deleted', () => refused(root.collection('prices').delete(row.prices.id), door));
  test('no batch updates or deletes one', async () => {
    const update = root.createBatch();
    update.collection('prices').update(row.prices.id, { margin_ppm: 0 });
    await refused(update.send(), door);
    const remove = root.createBatch();
    remove.collection('prices').delete(row.prices.id);
    await refused(remove.send(), door);
  });
  test('is not truncated', () => refused(root.collections.truncate('prices'), door));
});

describe('collections import', () => {
  test('takes no changed money table', async () => {
    const wallets = await root.collections.getOne('wallets');
    await refused(root.collections.import([{ ...wallets, updateRule: '', deleteRule: '' }], false));
  });

  test('takes no money table that has lost its columns', async () => {
    const wallets = await root.collections.getOne('wallets');
    const fields = wallets.fields.filter((field) => field.name !== 'balance_tokens');
    await refused(root.collections.import([{ ...wallets, fields }], true));
  });

  test('deletes no money table that it leaves out', async () => {
    const users = await root.collections.getOne('users');
    await refused(root.collections.import([users], true));
    for (const name of MONEY) assert.equal((await root.collections.getOne(name)).name, name);
  });
});

describe('the SQL console', () => {
  const run = (query) => root.send('/api/sql', { method: 'POST', body: { query } });
  for (const query of [
    'UPDATE wallets SET balance_tokens = 999999',
    'update wallets set balance_tokens = 999999',
    '  \n UPDATE wallets SET balance_tokens = 999999',
    '/* a note */ UPDATE wallets SET balance_tokens = 999999',
    '-- a note\nUPDATE wallets SET balance_tokens = 999999',
    'WITH x AS (SELECT 1) UPDATE wallets SET balance_tokens = 999999',
    'WITH x AS (SELECT 1) DELETE FROM wallet_ledger',
    'SELECT 1; UPDATE wallets SET balance_tokens = 999999',
    'INSERT INTO wallets (id, subject_type, subject_id, balance_tokens) VALUES (\'thief\', \'user\', \'thief\', 999999)',
    'REPLACE INTO wallets (id, subject_type, subject_id, balance_tokens) VALUES (\'thief\', \'user\', \'thief\', 999999)',
    'DELETE FROM wallet_ledger',
    'DROP TRIGGER wallet_ledger_no_update',
    'DROP TABLE wallet_ledger',
    'ALTER TABLE wallets ADD COLUMN note TEXT',
    'PRAGMA writable_schema = ON',
    'ATTACH DATABASE \':memory:\' AS other',
    'VACUUM',
  ]) {
    test(`refuses ${JSON.stringify(query)}`, () => refused(run(query)));
  }
});

test('after all that the wallet is right and the right door works', async () => {
  assert.equal(earlier.wallets.find((wallet) => wallet.subject_id === user.id).balance_tokens, 990);
  assert.deepEqual(await books(), earlier);
  assert.equal((await mint(server, root, user, 10)).newBalance, 1_000);
  await assert.rejects(root.collection('wallet_ledger').update(row.wallet_ledger.id, { amount_tokens: 1 }));
});
