// Organisations by PocketBase's JS SDK, holds and grants as an owner sees them there.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../lib/http.mjs';
import { mint, newUser, post, sdkFor, superuser } from '../lib/people.mjs';
import { eventually, hangUp, QUIET_MS, watch } from '../lib/realtime.mjs';
import { startServer } from '../lib/server.mjs';

let server, root;
before(async () => {
  server = await startServer();
  root = await superuser(server);
});
after(() => server?.stop());
afterEach(hangUp);

/** An organisation with an owner, a member, and somebody who is neither, each with a signed-in client. */
async function company() {
  const [owner, member, stranger] = await Promise.all(['Olive', 'Mia', 'Sam'].map((name) => newUser(server, name)));
  for (const user of [owner, member, stranger]) user.pb = await sdkFor(server, user);
  const acme = await owner.pb.collection('organizations').create({ name: 'Acme' });
  await owner.pb.collection('memberships').create({ organization: acme.id, user: member.id, role: 'member' });
  return { acme, owner, member, stranger };
}

const mintTo = (acme, amount) => post(server, root, '/api/wallet/mint', { subjectType: 'organization', subjectId: acme.id, amount });
const ofWallet = (acme) => ({ query: { subjectType: 'organization', subjectId: acme.id } });

describe('an organisation', () => {
  test('is seen by its members and by nobody else', async () => {
    const { acme, owner, member, stranger } = await company();
    for (const pb of [owner.pb, member.pb]) assert.deepEqual((await pb.collection('organizations').getFullList()).map((o) => o.id), [acme.id]);
    assert.equal((await member.pb.collection('memberships').getFullList()).length, 2);
    assert.equal((await stranger.pb.collection('organizations').getFullList()).length, 0);
    assert.equal((await stranger.pb.collection('memberships').getFullList()).length, 0);
    await assert.rejects(stranger.pb.collection('organizations').getOne(acme.id), { status: 404 });
  });

  test('has a wallet that members see and only leaders read the history of', async () => {
    const { acme, owner, member, stranger } = await company();
    await mintTo(acme, 500);
    assert.equal((await member.pb.send('/api/wallet/balance', ofWallet(acme))).balance, 500);
    assert.equal((await owner.pb.send('/api/wallet/ledger', ofWallet(acme))).ledger.length, 1);
    await assert.rejects(member.pb.send('/api/wallet/ledger', ofWallet(acme)), { status: 403 });
    await assert.rejects(stranger.pb.send('/api/wallet/balance', ofWallet(acme)), { status: 403 });
  });

  test('announces its balance to members who subscribe to its wallet', async () => {
    const { acme, member, stranger } = await company();
    const events = await watch(member.pb, 'wallets', acme.id);
    const overheard = await watch(stranger.pb, 'wallets', acme.id).catch(() => []);
    await mintTo(acme, 42);
    assert.ok(await eventually(() => events.some((event) => event.record.balance_tokens === 42)), JSON.stringify(events));
    await sleep(QUIET_MS);
    assert.deepEqual(overheard, []);
  });

  test('lets nobody promote themselves', async () => {
    const { member } = await company();
    const seat = await member.pb.collection('memberships').getFirstListItem(member.pb.filter('user = {:id}', { id: member.id }));
    await assert.rejects(member.pb.collection('memberships').update(seat.id, { role: 'owner' }), { status: 404 });
    await member.pb.collection('memberships').delete(seat.id);
    assert.equal((await member.pb.collection('organizations').getFullList()).length, 0);
  });
});

describe('an owner of a wallet', () => {
  test('sees their holds and grants, and those of nobody else', async () => {
    const [ada, bob] = await Promise.all([newUser(server, 'Ada'), newUser(server, 'Bob')]);
    await mint(server, root, ada, 100);
    await post(server, root, '/api/wallet/mint', { userId: ada.id, amount: 5, expiresAt: '2099-01-01T00:00:00Z' });
    const hold = await call(server, 'POST', '/api/wallet/holds', { token: root.authStore.token, body: { userId: ada.id, amount: 10 } });
    assert.equal(hold.status, 201, hold.text);
    const [adas, bobs] = [await sdkFor(server, ada), await sdkFor(server, bob)];
    const [held] = await adas.collection('wallet_holds').getFullList();
    assert.equal(held.id, hold.body.hold.id);
    assert.equal(held.amount_tokens, 10);
    assert.equal((await adas.collection('wallet_grants').getFullList())[0].remaining_tokens, 5);
    for (const name of ['wallet_holds', 'wallet_grants']) {
      assert.equal((await bobs.collection(name).getFullList()).length, 0);
      await assert.rejects(adas.collection(name).create({ amount_tokens: 1 }), { status: 403 });
      await assert.rejects(root.collection(name).delete((await root.collection(name).getFullList())[0].id), { status: 403 });
    }
  });
});
