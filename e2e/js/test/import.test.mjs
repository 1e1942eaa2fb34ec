// Moving in: everybody of an imported dump signs in as before, by both roads, and finds the balance that was there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuthClient as createNewest } from 'better-auth/client';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { bearerClient } from '../lib/betterauth.mjs';
import { call } from '../lib/http.mjs';
import { sdk, superuser } from '../lib/people.mjs';
import { FRONTEND, runToEnd, settings, startServer, tempDir } from '../lib/server.mjs';

// A dump that the original backend made, where it is at hand, and what was known of its users.
const fixtures = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));
const atHand = existsSync(join(fixtures, 'd1-export.sql'));

// One user in the same form, for everybody else. The hash and the cookie are public test vectors.
const vector = {
  secret: 'test-secret-test-secret-test-secret-32',
  users: [{
    id: 'VectorVectorVectorVectorVectorVe',
    email: 'vector@example.com',
    name: "Miles O'Brien",
    password: 'pässwörd ﬁ №',
    cookie: 'better-auth.session_token=aBcDeFgHiJkLmNoPqRsTuVwXyZ012345.6A4iF3Hd2jWiSYOSt%2F032D2CHPzgimNl1def8g5u7ko%3D',
    token: 'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345',
  }],
};
const vectorDump = `PRAGMA defer_foreign_keys=TRUE;
INSERT INTO "user" ("id","name","email","emailVerified","createdAt","updatedAt") VALUES('VectorVectorVectorVectorVectorVe','Miles O''Brien','vector@example.com',1,1795416104,1795416104);
INSERT INTO "account" ("id","accountId","providerId","userId","password","createdAt","updatedAt") VALUES('a1','VectorVectorVectorVectorVectorVe','credential','VectorVectorVectorVectorVectorVe','00112233445566778899aabbccddeeff:5ff8fdfce302bb50175025e8f8973ac5215165758f7954b3bad27aefcb9b25270d917fedc5b2dc4b106690d62e3e4dd03525a1664b496d43d46453f67eb0f4ef',1795416104,1795416104);
INSERT INTO "session" ("id","expiresAt","token","createdAt","updatedAt","userId") VALUES('s1',1796020904,'aBcDeFgHiJkLmNoPqRsTuVwXyZ012345',1795416104,1795416104,'VectorVectorVectorVectorVectorVe');
INSERT INTO "wallet_ledger" ("id","subject_type","subject_id","amount_tokens","event_type","created_at") VALUES('e1','user','VectorVectorVectorVectorVectorVe',5000,'mint','2026-10-01T00:00:00.000Z');
INSERT INTO "wallet_ledger" ("id","subject_type","subject_id","amount_tokens","event_type","created_at") VALUES('e2','user','VectorVectorVectorVectorVectorVe',-42,'use','2026-10-02T00:00:00.000Z');
INSERT INTO "wallets" ("subject_type","subject_id","balance_tokens","frozen") VALUES('user','VectorVectorVectorVectorVectorVe',4958,0);
`;

/** The rows of a table of a dump that has one INSERT a line, as texts; NULL is null. */
function rowsOf(sql, table) {
  const rows = [];
  for (const line of sql.split('\n')) {
    const start = new RegExp(`^INSERT INTO "${table}" (?:\\([^)]*\\) )?VALUES\\(`).exec(line);
    if (!start) continue;
    const values = line.slice(start[0].length, line.lastIndexOf(')')).match(/'(?:[^']|'')*'|[^,]+/g);
    rows.push(values.map((value) => (value === 'NULL' ? null : value.startsWith("'") ? value.slice(1, -1).replaceAll("''", "'") : value)));
  }
  return rows;
}

/** Sessions of a dump from another day end in a week from now. */
function movedOn(sql) {
  const week = Math.floor(Date.now() / 1000) + 6 * 24 * 3600;
  return sql.replace(/^(INSERT INTO "session" (?:\([^)]*\) )?VALUES\('[^']*',)\d+/gm, `$1${week}`);
}

const dumps = [
  ['a dump with the public vectors', () => ({ sql: vectorDump, ...vector })],
  ['a dump of the original backend', () => ({
    sql: readFileSync(join(fixtures, 'd1-export.sql'), 'utf8'),
    ...JSON.parse(readFileSync(join(fixtures, 'd1-export.json'), 'utf8')),
  })],
];

for (const [name, load] of dumps) {
  describe(name, { skip: name.includes('original') && !atHand ? 'the fixture is not at hand' : false }, () => {
    let dir; let server; let dump; let file;
    const importing = (...more) => runToEnd(['import', 'd1', file, '--dir', dir, ...more], settings(), 60_000);

    before(async () => {
      dump = load();
      dir = tempDir();
      file = join(dir, '..', `dump-${process.pid}-${dump.users.length}.sql`);
      writeFileSync(file, movedOn(dump.sql));
      const dry = await importing('--dry-run');
      assert.equal(dry.code, 0, dry.output);
      assert.match(dry.output, /would be imported: [1-9]\d*\./);
      const run = await importing();
      assert.equal(run.code, 0, run.output);
      assert.match(run.output, /Rows imported: [1-9]\d*\./);
      server = await startServer({ dir, env: { BETTER_AUTH_SECRET: dump.secret } });
    });
    after(async () => {
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
      rmSync(file, { force: true });
    });

    test('the old cookie still signs in, and so does the old bearer token', async () => {
      for (const user of dump.users) {
        const byCookie = await call(server, 'GET', '/api/auth/get-session', { headers: { Cookie: user.cookie, Origin: FRONTEND } });
        assert.equal(byCookie.body?.user?.id, user.id, byCookie.text);
        const signed = decodeURIComponent(user.cookie.split('=').slice(1).join('='));
        for (const token of [user.token, signed, user.cookie.split('=').slice(1).join('=')]) {
          const byToken = await call(server, 'GET', '/api/wallet/balance', { token });
          assert.equal(byToken.status, 200, byToken.text);
        }
      }
    });

    test('a cookie that the old secret did not sign is nobody', async () => {
      const [user] = dump.users;
      const forged = `better-auth.session_token=${user.token}.${encodeURIComponent(Buffer.alloc(32).toString('base64'))}`;
      const answer = await call(server, 'GET', '/api/auth/get-session', { headers: { Cookie: forged, Origin: FRONTEND } });
      assert.equal(answer.text.trim(), 'null');
    });

    for (const [version, createAuthClient] of [['newest', createNewest], ['1.4.3', create143]]) {
      test(`everybody signs in with the password they had, by better-auth's client ${version}`, async () => {
        for (const user of dump.users) {
          const { client } = bearerClient(createAuthClient, server.url);
          const { data, error } = await client.signIn.email({ email: user.email, password: user.password });
          assert.equal(error, null, JSON.stringify(error));
          assert.equal(data.user.id, user.id);
          assert.equal(data.user.name, user.name);
          const wrong = await client.signIn.email({ email: user.email, password: `${user.password}x` });
          assert.equal(wrong.error?.status, 401);
        }
      });
    }

    test("everybody signs in by PocketBase's SDK, and sees their own wallet", async () => {
      for (const user of dump.users) {
        const pb = sdk(server);
        const { record } = await pb.collection('users').authWithPassword(user.email, user.password);
        assert.equal(record.id, user.id);
        const wallet = await pb.collection('wallets').getOne(user.id);
        const stored = rowsOf(dump.sql, 'wallets').find((row) => row[1] === user.id);
        const sum = rowsOf(dump.sql, 'wallet_ledger').filter((row) => row[2] === user.id).reduce((total, row) => total + Number(row[3]), 0);
        assert.equal(wallet.balance_tokens, stored ? Number(stored[2]) : sum, user.email);
        assert.equal(wallet.frozen, stored?.[3] === '1');
        assert.equal(wallet.frozen_reason, stored?.[3] === '1' ? 'imported' : '');
      }
    });

    test('the ledger, the usage and the sums are those of the dump', async () => {
      const root = await superuser(server);
      for (const user of dump.users) {
        const entries = await root.collection('wallet_ledger').getFullList({ filter: `subject_id = "${user.id}" && event_type != "adjust"`, sort: 'seq' });
        const wanted = rowsOf(dump.sql, 'wallet_ledger').filter((row) => row[2] === user.id);
        assert.deepEqual(
          entries.map((entry) => [entry.id, entry.amount_tokens, entry.event_type, entry.created_at]).sort(),
          wanted.map((row) => [row[0], Number(row[3]), row[4], row.at(-1).replace('T', ' ')]).sort(),
        );
        const usage = await root.collection('usage_logs').getFullList({ filter: `subject_id = "${user.id}"` });
        const uses = rowsOf(dump.sql, 'usage_logs').filter((row) => row[2] === user.id);
        assert.deepEqual(usage.map((row) => [row.id, row.input_tokens, row.ledger_id]).sort(), uses.map((row) => [row[0], Number(row[7]), row.at(-3)]).sort());
        const days = await root.collection('usage_daily').getFullList({ filter: `subject_id = "${user.id}"` });
        const used = wanted.filter((row) => row[4] === 'use').reduce((total, row) => total - Number(row[3]), 0);
        assert.equal(days.reduce((total, day) => total + day.tokens, 0), used);
      }
    });

    test('life goes on: a mint lifts no freeze that was imported, and an imported use can be refunded', async () => {
      const root = await superuser(server);
      for (const user of dump.users) {
        const before = await call(server, 'GET', `/api/wallet/balance?userId=${user.id}`, { token: root.authStore.token });
        const minted = await call(server, 'POST', '/api/wallet/mint', { token: root.authStore.token, body: { userId: user.id, amount: 1_000_000 } });
        assert.equal(minted.status, 200, minted.text);
        const now = await call(server, 'GET', `/api/wallet/balance?userId=${user.id}`, { token: root.authStore.token });
        assert.equal(now.body.balance, before.body.balance + 1_000_000);
        assert.equal(now.body.frozen, before.body.frozen);
      }
      const use = rowsOf(dump.sql, 'wallet_ledger').find((row) => row[4] === 'use');
      const refund = await call(server, 'POST', '/api/wallet/refund', { token: root.authStore.token, body: { userId: use[2], ledgerId: use[0], amount: 1 } });
      assert.equal(refund.status, 200, refund.text);
    });

    test('beside a running server an import is refused and a dry run is not, and behind it a second one finds nothing to do', async () => {
      const beside = await importing();
      assert.notEqual(beside.code, 0);
      assert.match(beside.output, /in use by process/);
      const dry = await importing('--dry-run');
      assert.equal(dry.code, 0, dry.output);
      assert.match(dry.output, /would be imported: 0\./);
      await server.stop();
      const again = await importing();
      assert.equal(again.code, 0, again.output);
      assert.match(again.output, /Rows imported: 0\./);
      const proof = await runToEnd(['ledger', 'verify', '--dir', dir], settings());
      assert.equal(proof.code, 0, proof.output);
      server = await startServer({ dir, env: { BETTER_AUTH_SECRET: dump.secret } });
    });
  });
}
