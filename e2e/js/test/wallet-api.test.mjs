// The wallet and user API by plain HTTP: who may call, what it answers, and what it refuses.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { call } from '../lib/http.mjs';
import { newUser, superuser } from '../lib/people.mjs';
import { startServer } from '../lib/server.mjs';

const UTC = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z$/;
const LEDGER_KEYS = ['id', 'seq', 'subjectType', 'subjectId', 'amountTokens', 'balanceAfter', 'eventType', 'referenceType', 'referenceId',
  'planId', 'externalEventId', 'description', 'metadata', 'createdAt', 'prevHash', 'hash'];
const USAGE_KEYS = ['id', 'provider', 'model', 'modality', 'endpoint', 'method', 'inputTokens', 'outputTokens', 'totalTokens',
  'adjustedInputTokens', 'adjustedOutputTokens', 'adjustedTotalTokens', 'inputRatio', 'outputRatio', 'sessionId', 'requestId', 'responseId',
  'eventType', 'ledgerId', 'metadata', 'createdAt'];

let server, rootToken;
before(async () => {
  server = await startServer();
  rootToken = (await superuser(server)).authStore.token;
});
after(() => server?.stop());

const asRoot = (path, body, headers) => call(server, 'POST', path, { token: rootToken, body, headers });
const mint = (user, fields, headers) => asRoot('/api/wallet/mint', { userId: user.id, ...fields }, headers);
const use = (user, fields, headers) => asRoot('/api/wallet/use', { userId: user.id, ...fields }, headers);
const refund = (user, fields, headers) => asRoot('/api/wallet/refund', { userId: user.id, ...fields }, headers);
const get = (user, path, headers) => call(server, 'GET', path, { token: user.token, headers });
const balance = async (user) => (await get(user, '/api/wallet/balance')).body;
const ledger = async (user) => (await get(user, '/api/wallet/ledger')).body.ledger;

function ok(answer) {
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** The error body of this API: the seed's keys and PocketBase's. `names` is the field the answer must name. */
function refused(answer, status, code, names) {
  assert.equal(answer.status, status, answer.text);
  const { body } = answer;
  assert.equal(body.code, code, answer.text);
  assert.equal(body.status, status);
  assert.ok(typeof body.error === 'string' && body.error, answer.text);
  assert.ok(typeof body.message === 'string' && body.message, answer.text);
  assert.ok(body.data !== null && typeof body.data === 'object', answer.text);
  if (names) assert.ok(`${body.error} ${body.message} ${JSON.stringify(body.data)}`.includes(names), `does not name ${names}: ${answer.text}`);
  return body;
}

/** A user with tokens in the wallet. */
async function rich(amount = 1_000) {
  const user = await newUser(server);
  if (amount) ok(await mint(user, { amount }));
  return user;
}

/** Runs `attempt` and asserts that the wallet and its ledger are as they were. */
async function changesNothing(user, attempt) {
  const earlier = [await balance(user), await ledger(user)];
  await attempt();
  assert.deepEqual([await balance(user), await ledger(user)], earlier);
}

describe('who may call', () => {
  const READS = ['/api/wallet/balance', '/api/wallet/status', '/api/wallet/ledger', '/api/wallet/usage', '/api/user/profile', '/api/user/api-key'];
  const MONEY = ['mint', 'use', 'refund', 'adjust', 'freeze', 'unfreeze'].map((name) => `/api/wallet/${name}`);

  for (const path of READS) {
    test(`a guest's GET ${path} is 401`, async () => {
      assert.equal(refused(await call(server, 'GET', path), 401, 'unauthorized').error, 'Unauthorized');
    });
  }
  for (const path of MONEY) {
    test(`POST ${path}: 401 for a guest, 403 for the wallet's own user`, async () => {
      const user = await rich();
      const body = { userId: user.id, amount: 5, description: 'mine', reason: 'mine' };
      await changesNothing(user, async () => {
        assert.equal(refused(await call(server, 'POST', path, { body }), 401, 'unauthorized').error, 'Unauthorized');
        refused(await call(server, 'POST', path, { token: user.token, body }), 403, 'forbidden');
      });
    });
  }

  test('a superuser must say whose wallet: nobody is 400, an unknown user 404', async () => {
    refused(await asRoot('/api/wallet/mint', { amount: 5 }), 400, 'invalid_request', 'userId');
    refused(await asRoot('/api/wallet/mint', { userId: 'nosuchuser00000', amount: 5 }), 404, 'wallet_not_found');
  });

  test('a superuser reads any wallet by userId, and by subjectType and subjectId', async () => {
    const user = await rich(77);
    const asked = (query) => call(server, 'GET', `/api/wallet/balance?${query}`, { token: rootToken });
    assert.equal(ok(await asked(`userId=${user.id}`)).balance, 77);
    assert.equal(ok(await asked(`subjectType=user&subjectId=${user.id}`)).balance, 77);
  });
});

describe('mint', () => {
  test('by amount: the entry, the new balance, the wallet', async () => {
    const user = await rich(0);
    const body = ok(await mint(user, { amount: 1_234, description: 'a gift' }));
    assert.equal(body.success, true);
    assert.equal(body.newBalance, 1_234);
    const entry = body.ledgerEntry;
    assert.deepEqual(LEDGER_KEYS.filter((key) => !(key in entry)), []);
    assert.deepEqual(
      [entry.subjectType, entry.subjectId, entry.seq, entry.amountTokens, entry.balanceAfter, entry.eventType, entry.description],
      ['user', user.id, 1, 1_234, 1_234, 'mint', 'a gift'],
    );
    assert.match(entry.createdAt, UTC);
    assert.match(entry.hash, /^[0-9a-f]{64}$/);
    assert.deepEqual(await ledger(user), [entry]);
    const { updatedAt, ...now } = await balance(user);
    assert.match(updatedAt, UTC);
    assert.deepEqual(now, { balance: 1_234, held: 0, available: 1_234, frozen: false, planId: 'free_plan', maxConcurrentSessions: 1, rateLimitRpm: 60, nextExpiry: null });
  });

  test('each entry carries the hash of the one below it', async () => {
    const user = await rich(0);
    for (const amount of [1, 2, 3]) ok(await mint(user, { amount }));
    const [third, second, first] = await ledger(user);
    assert.deepEqual([third.seq, second.seq, first.seq], [3, 2, 1]);
    assert.equal(second.prevHash, first.hash);
    assert.equal(third.prevHash, second.hash);
  });

  test('by plan: the part of the quota that was paid for, and the entitlement moves', async () => {
    const user = await rich(0);
    const body = ok(await mint(user, { planId: 'starter_plan', amountCents: 500 }));
    assert.equal(body.newBalance, 5_000_000);
    assert.equal(body.ledgerEntry.amountTokens, 5_000_000);
    assert.equal(body.ledgerEntry.planId, 'starter_plan');
    const now = await balance(user);
    assert.deepEqual([now.planId, now.maxConcurrentSessions, now.rateLimitRpm], ['starter_plan', 2, 120]);
    const { user: profile } = ok(await get(user, '/api/user/profile'));
    assert.deepEqual([profile.subscription, profile.tokenQuota], ['starter_plan', 10_000_000]);
  });

  test('by plan: fractions are rounded down', async () => {
    const user = await rich(0);
    assert.equal(ok(await mint(user, { planId: 'unlimited_plan', amountCents: 1 })).newBalance, Math.floor(999_999_999 / 99_999));
  });

  test('by plan: an overpayment mints the quota once and names the rest', async () => {
    const user = await rich(0);
    const body = ok(await mint(user, { planId: 'starter_plan', amountCents: 1_750 }));
    assert.equal(body.newBalance, 10_000_000);
    assert.equal(body.unusedCents, 750);
  });

  test('by plan: an unknown plan, and a missing payment, are 400 and name the field', async () => {
    const user = await rich(0);
    refused(await mint(user, { planId: 'no_such_plan', amountCents: 500 }), 400, 'invalid_request', 'planId');
    refused(await mint(user, { planId: 'starter_plan', amountCents: -1 }), 400, 'invalid_request', 'amountCents');
    assert.equal((await balance(user)).planId, 'free_plan');
  });
});

describe('idempotency', () => {
  const replayed = (answer) => answer.headers.get('idempotent-replayed');

  test('the same Idempotency-Key and fields: the first answer again, minted once', async () => {
    const user = await rich(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await mint(user, { amount: 50 }, headers);
    ok(first);
    assert.equal(replayed(first), null);
    const second = await mint(user, { amount: 50 }, headers);
    assert.equal(replayed(second), 'true');
    assert.deepEqual(ok(second), first.body);
    assert.equal((await balance(user)).balance, 50);
  });

  test('the fields count, not how they are written', async () => {
    const user = await rich(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = ok(await asRoot('/api/wallet/mint', `{"userId":"${user.id}","amount":50}`, headers));
    const second = await asRoot('/api/wallet/mint', `{ "amount": 50, "userId": "${user.id}" }`, headers);
    assert.equal(replayed(second), 'true');
    assert.deepEqual(ok(second), first);
  });

  test('the same key with other fields is 409 and mints nothing', async () => {
    const user = await rich(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    ok(await mint(user, { amount: 50 }, headers));
    await changesNothing(user, async () => {
      refused(await mint(user, { amount: 51 }, headers), 409, 'idempotency_mismatch');
      refused(await mint(user, { amount: 50, description: 'other' }, headers), 409, 'idempotency_mismatch');
    });
  });

  test('a key belongs to one wallet and one route', async () => {
    const [ada, bob] = [await rich(100), await rich(100)];
    const headers = { 'Idempotency-Key': randomUUID() };
    for (const answer of [await mint(ada, { amount: 5 }, headers), await mint(bob, { amount: 5 }, headers), await use(ada, { amount: 5 }, headers)]) {
      ok(answer);
      assert.equal(replayed(answer), null);
    }
    assert.equal((await balance(ada)).balance, 100);
    assert.equal((await balance(bob)).balance, 105);
  });

  test('a refused call stores nothing: the same key may try again', async () => {
    const user = await rich(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    refused(await use(user, { amount: 5 }, headers), 402, 'insufficient_balance');
    ok(await mint(user, { amount: 5 }));
    const second = await use(user, { amount: 5 }, headers);
    assert.equal(ok(second).remaining, 0);
    assert.equal(replayed(second), null);
  });

  test('twenty at once with one key: one mint, one answer', async () => {
    const user = await rich(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => mint(user, { amount: 5 }, headers)));
    for (const answer of answers) assert.deepEqual(ok(answer), answers[0].body);
    assert.equal(answers.filter((answer) => replayed(answer) === 'true').length, 19);
    assert.equal((await balance(user)).balance, 5);
  });

  test('a key has at most 255 characters', async () => {
    const user = await rich(0);
    ok(await mint(user, { amount: 5 }, { 'Idempotency-Key': 'k'.repeat(255) }));
    refused(await mint(user, { amount: 5 }, { 'Idempotency-Key': 'k'.repeat(256) }), 400, 'invalid_request', 'Idempotency-Key');
  });

  test('externalEventId: the same wallet and amount again is the first result', async () => {
    const user = await rich(0);
    const externalEventId = `evt_${randomUUID()}`;
    const first = await mint(user, { amount: 50, externalEventId });
    assert.equal(ok(first).ledgerEntry.externalEventId, externalEventId);
    assert.equal(replayed(first), null);
    const second = await mint(user, { amount: 50, externalEventId });
    assert.equal(replayed(second), 'true');
    assert.deepEqual(ok(second), first.body);
    assert.equal((await balance(user)).balance, 50);
  });

  test('externalEventId: another amount or another wallet is 409', async () => {
    const [ada, bob] = [await rich(0), await rich(0)];
    const externalEventId = `evt_${randomUUID()}`;
    ok(await mint(ada, { amount: 50, externalEventId }));
    refused(await mint(ada, { amount: 51, externalEventId }), 409, 'idempotency_mismatch');
    refused(await mint(bob, { amount: 50, externalEventId }), 409, 'idempotency_mismatch');
    assert.equal((await balance(ada)).balance, 50);
    assert.equal((await balance(bob)).balance, 0);
  });
});

describe('use', () => {
  test('by amount: deducted, remaining, an entry and a usage row without a model', async () => {
    const user = await rich(100);
    const body = ok(await use(user, { amount: 30 }));
    assert.deepEqual([body.success, body.deducted, body.remaining], [true, 30, 70]);
    assert.deepEqual([body.ledgerEntry.eventType, body.ledgerEntry.amountTokens, body.ledgerEntry.balanceAfter, body.ledgerEntry.seq], ['use', -30, 70, 2]);
    const { usage } = ok(await get(user, '/api/wallet/usage'));
    assert.equal(usage.length, 1);
    assert.deepEqual(USAGE_KEYS.filter((key) => !(key in usage[0])), []);
    assert.deepEqual([usage[0].provider, usage[0].model, usage[0].ledgerId], ['', '', body.ledgerEntry.id]);
  });

  test('priced: gpt-4o-mini realtime audio, 10 in and 10 out, is 12 + 24 tokens', async () => {
    const user = await rich(100);
    const body = ok(await use(user, { provider: 'openai', model: 'gpt-4o-mini-realtime-preview', modality: 'audio', inputTokens: 10, outputTokens: 10 }));
    assert.deepEqual([body.deducted, body.remaining, body.ledgerEntry.amountTokens], [36, 64, -36]);
    const [row] = ok(await get(user, '/api/wallet/usage')).usage;
    assert.deepEqual(
      [row.provider, row.model, row.modality, row.inputTokens, row.outputTokens, row.totalTokens, row.adjustedInputTokens, row.adjustedOutputTokens, row.adjustedTotalTokens, row.ledgerId],
      ['openai', 'gpt-4o-mini-realtime-preview', 'audio', 10, 10, 20, 12, 24, 36, body.ledgerEntry.id],
    );
    assert.match(row.createdAt, UTC);
  });

  for (const [model, modality, deducted] of [
    ['gpt-4o-mini-realtime-preview', 'text', 1 + 3],
    ['gpt-4o-realtime-preview', 'text', 6 + 24],
    ['gpt-4o-realtime-preview', 'audio', 48 + 96],
    ['gpt-4o-realtime-preview-2024-10-01', 'audio', 48 + 96],
  ]) {
    test(`priced: ${model} ${modality}, 10 in and 10 out, is ${deducted} tokens`, async () => {
      const user = await rich(1_000);
      assert.equal(ok(await use(user, { provider: 'openai', model, modality, inputTokens: 10, outputTokens: 10 })).deducted, deducted);
    });
  }

  test('an unknown model is 400 and costs nothing', async () => {
    const user = await rich(100);
    await changesNothing(user, async () => {
      refused(await use(user, { provider: 'openai', model: 'gpt-unknown', modality: 'text', inputTokens: 1, outputTokens: 1 }), 400, 'invalid_request', 'model');
      refused(await use(user, { provider: 'openai', model: 'my-gpt-4o-realtime-preview', modality: 'audio', inputTokens: 1 }), 400, 'invalid_request', 'model');
    });
  });

  test('more than the wallet has is 402 and changes nothing', async () => {
    const user = await rich(10);
    await changesNothing(user, async () => {
      assert.equal(refused(await use(user, { amount: 11 }), 402, 'insufficient_balance').error, 'Insufficient balance');
    });
    assert.equal(ok(await get(user, '/api/wallet/usage')).usage.length, 0);
    assert.equal(ok(await use(user, { amount: 10 })).remaining, 0);
  });

  test('fifty at once on a wallet for thirty: thirty pass, twenty are 402', async () => {
    const user = await rich(30);
    const answers = await Promise.all(Array.from({ length: 50 }, () => use(user, { amount: 1 })));
    const count = (status) => answers.filter((answer) => answer.status === status).length;
    assert.deepEqual([count(200), count(402)], [30, 20]);
    assert.equal((await balance(user)).balance, 0);
  });

  test('allowNegative lets a superuser go below zero, without a freeze', async () => {
    const user = await rich(10);
    assert.equal(ok(await use(user, { amount: 15, allowNegative: true })).remaining, -5);
    const now = await balance(user);
    assert.deepEqual([now.balance, now.available, now.frozen], [-5, -5, false]);
    refused(await use(user, { amount: 1 }), 402, 'insufficient_balance');
  });
});

describe('refund', () => {
  test('a part, then the rest, then 409', async () => {
    const user = await rich(100);
    const { ledgerEntry: used } = ok(await use(user, { amount: 60 }));
    const part = ok(await refund(user, { ledgerId: used.id, amount: 25 }));
    assert.deepEqual([part.success, part.newBalance, part.refundable], [true, 65, 35]);
    assert.deepEqual([part.ledgerEntry.eventType, part.ledgerEntry.amountTokens, part.ledgerEntry.referenceId], ['refund', 25, used.id]);
    refused(await refund(user, { ledgerId: used.id, amount: 36 }), 409, 'over_refund');
    const rest = ok(await refund(user, { ledgerId: used.id }));
    assert.deepEqual([rest.newBalance, rest.refundable, rest.ledgerEntry.amountTokens], [100, 0, 35]);
    await changesNothing(user, async () => {
      refused(await refund(user, { ledgerId: used.id, amount: 1 }), 409, 'over_refund');
      refused(await refund(user, { ledgerId: used.id }), 409, 'over_refund');
    });
  });

  test('of a mint that is spent: below zero, and frozen until paid up', async () => {
    const user = await rich(0);
    const { ledgerEntry: minted } = ok(await mint(user, { amount: 100 }));
    ok(await use(user, { amount: 80 }));
    assert.equal(ok(await refund(user, { ledgerId: minted.id })).newBalance, -80);
    assert.equal((await balance(user)).frozen, true);
    refused(await use(user, { amount: 1 }), 403, 'wallet_frozen');
    assert.equal(ok(await mint(user, { amount: 80 })).newBalance, 0);
    assert.equal((await balance(user)).frozen, false);
  });

  test('needs an entry of that wallet', async () => {
    const [ada, bob] = [await rich(100), await rich(100)];
    const { ledgerEntry } = ok(await use(ada, { amount: 60 }));
    await changesNothing(ada, async () => {
      const foreign = await refund(bob, { ledgerId: ledgerEntry.id });
      assert.ok(foreign.status >= 400 && foreign.status < 500, foreign.text);
      const missing = await refund(ada, { ledgerId: 'nosuchentry0000' });
      assert.ok([400, 404].includes(missing.status), missing.text);
      refused(await refund(ada, {}), 400, 'invalid_request', 'ledgerId');
    });
    assert.equal((await balance(bob)).balance, 100);
  });
});

describe('adjust', () => {
  const adjust = (user, fields) => asRoot('/api/wallet/adjust', { userId: user.id, ...fields });

  test('up and down, with a reason', async () => {
    const user = await rich(100);
    const up = ok(await adjust(user, { amount: 5, description: 'a counting error' }));
    assert.deepEqual([up.success, up.newBalance, up.frozen], [true, 105, false]);
    assert.deepEqual([up.ledgerEntry.eventType, up.ledgerEntry.amountTokens, up.ledgerEntry.description], ['adjust', 5, 'a counting error']);
    assert.equal(ok(await adjust(user, { amount: -105, description: 'another' })).newBalance, 0);
  });

  test('without a reason is 400', async () => {
    const user = await rich(100);
    await changesNothing(user, async () => {
      for (const fields of [{ amount: 5 }, { amount: 5, description: '' }, { amount: 5, description: '   ' }]) {
        refused(await adjust(user, fields), 400, 'invalid_request', 'description');
      }
    });
  });

  test('below zero is 402', async () => {
    const user = await rich(100);
    await changesNothing(user, async () => refused(await adjust(user, { amount: -101, description: 'too much' }), 402, 'insufficient_balance'));
  });
});

describe('freeze', () => {
  test('a frozen wallet is not charged, can be minted to, and works again after unfreeze', async () => {
    const user = await rich(100);
    const frozen = ok(await asRoot('/api/wallet/freeze', { userId: user.id, reason: 'a dispute' }));
    assert.deepEqual([frozen.success, frozen.newBalance, frozen.frozen], [true, 100, true]);
    assert.equal((await balance(user)).frozen, true);
    await changesNothing(user, async () => refused(await use(user, { amount: 1 }), 403, 'wallet_frozen'));
    const key = await get(user, '/api/user/api-key');
    assert.equal(key.status, 403);
    assert.equal(key.body.error, 'Wallet frozen');

    ok(await mint(user, { amount: 1 }));
    assert.equal((await balance(user)).frozen, true, 'a mint does not lift a freeze by hand');
    const thawed = ok(await asRoot('/api/wallet/unfreeze', { userId: user.id, reason: 'settled' }));
    assert.deepEqual([thawed.success, thawed.newBalance, thawed.frozen], [true, 101, false]);
    assert.equal(ok(await use(user, { amount: 1 })).remaining, 100);
  });
});

describe('ledger and usage pages', () => {
  let user, all;
  before(async () => {
    user = await rich(0);
    for (let amount = 1; amount <= 7; amount++) ok(await mint(user, { amount }));
    all = await ledger(user);
  });
  const page = async (query) => ok(await get(user, `/api/wallet/ledger?${query}`));
  const amounts = (body) => body.ledger.map((entry) => entry.amountTokens);

  test('without a question: all, newest first', async () => {
    const body = await page('');
    assert.deepEqual(amounts(body), [7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(body.pagination, { limit: 50, offset: 0, total: 7, hasMore: false, nextCursor: null });
  });

  test('by offset', async () => {
    const pages = [await page('limit=3'), await page('limit=3&offset=3'), await page('limit=3&offset=6'), await page('limit=3&offset=9')];
    assert.deepEqual(pages.map(amounts), [[7, 6, 5], [4, 3, 2], [1], []]);
    assert.deepEqual(pages.map(({ pagination }) => [pagination.limit, pagination.offset, pagination.total, pagination.hasMore]),
      [[3, 0, 7, true], [3, 3, 7, true], [3, 6, 7, false], [3, 9, 7, false]]);
  });

  test('by cursor: the same rows, each once, also while new ones come in', async () => {
    const walker = await rich(0);
    for (let amount = 1; amount <= 7; amount++) ok(await mint(walker, { amount }));
    const seen = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const body = ok(await get(walker, `/api/wallet/ledger?limit=3${cursor && `&cursor=${cursor}`}`));
      seen.push(...amounts(body));
      cursor = body.pagination.nextCursor;
      assert.equal(body.pagination.hasMore, cursor !== null);
      if (cursor === null) break;
      assert.match(cursor, /^[A-Za-z0-9_.~-]+$/);
      ok(await mint(walker, { amount: 99 }));
    }
    assert.deepEqual(seen, [7, 6, 5, 4, 3, 2, 1]);
  });

  test('filtered by eventType', async () => {
    const mixed = await rich(100);
    ok(await use(mixed, { amount: 1 }));
    const uses = ok(await get(mixed, '/api/wallet/ledger?eventType=use'));
    assert.deepEqual(amounts(uses), [-1]);
  });

  for (const [query, field] of [
    ['limit=1e9', 'limit'], ['limit=abc', 'limit'], ['limit=0', 'limit'], ['limit=-1', 'limit'], ['limit=501', 'limit'], ['limit=1.5', 'limit'], ['limit=NaN', 'limit'],
    ['offset=-1', 'offset'], ['offset=abc', 'offset'], ['offset=99999999999999999999', 'offset'],
    ['cursor=not-a-cursor', 'cursor'], ['cursor=%00', 'cursor'],
  ]) {
    for (const list of ['ledger', 'usage']) {
      test(`${list}?${query} is 400 and names ${field}`, async () => {
        refused(await get(user, `/api/wallet/${list}?${query}`), 400, 'invalid_request', field);
      });
    }
  }

  test('the largest page is 500, the smallest 1', async () => {
    assert.equal((await page('limit=500')).pagination.limit, 500);
    assert.deepEqual(amounts(await page('limit=1')), [7]);
  });

  test('the entries never change', async () => {
    assert.deepEqual(await ledger(user), all);
  });
});

describe('status', () => {
  test('has the later seed’s keys and the app’s', async () => {
    const user = await rich(0);
    ok(await mint(user, { planId: 'starter_plan', amountCents: 1_000 }));
    ok(await use(user, { amount: 300 }));
    const body = ok(await get(user, '/api/wallet/status'));
    assert.deepEqual(
      {
        balance: body.balance, balanceMicroUsd: body.balanceMicroUsd, frozen: body.frozen, plan: body.plan, monthlyQuota: body.monthlyQuota,
        usage: body.usage, last30DaysUsage: body.last30DaysUsage, last30DaysUsageMicroUsd: body.last30DaysUsageMicroUsd,
        features: body.features, rateLimitRpm: body.rateLimitRpm, maxConcurrentSessions: body.maxConcurrentSessions,
        used: body.used, resetDate: body.resetDate,
      },
      {
        balance: 9_999_700, balanceMicroUsd: 99_997_000, frozen: false, plan: 'starter', monthlyQuota: 10_000_000,
        usage: 300, last30DaysUsage: 300, last30DaysUsageMicroUsd: 3_000,
        features: ['basic', 'priority_support'], rateLimitRpm: 120, maxConcurrentSessions: 2,
        used: 0, resetDate: null,
      },
    );
    assert.equal(typeof body.total, 'number');
    assert.equal(typeof body.remaining, 'number');
  });
});

describe('profile', () => {
  const KEYS = ['id', 'email', 'name', 'image', 'firstName', 'lastName', 'subscription', 'tokenQuota', 'tokensUsed', 'createdAt'];

  test('GET', async () => {
    const user = await rich(100);
    ok(await use(user, { amount: 7 }));
    ok(await use(user, { amount: 8 }));
    const body = ok(await get(user, '/api/user/profile'));
    assert.deepEqual(Object.keys(body), ['user']);
    assert.deepEqual(KEYS.filter((key) => !(key in body.user)), []);
    assert.deepEqual(
      [body.user.id, body.user.email, body.user.name, body.user.image, body.user.subscription, body.user.tokenQuota, body.user.tokensUsed],
      [user.id, user.email, 'Ada', null, 'free_plan', 0, 15],
    );
    assert.match(body.user.createdAt, UTC);
  });

  test('PATCH changes names, and nothing else', async () => {
    const user = await rich(0);
    const patch = (body) => call(server, 'PATCH', '/api/user/profile', { token: user.token, body });
    const { user: earlier } = ok(await get(user, '/api/user/profile'));
    const names = { firstName: 'Ada', lastName: 'Lovelace', name: 'Ada L.' };
    assert.deepEqual(ok(await patch(names)), { user: { ...earlier, ...names } });
    assert.deepEqual(ok(await patch({ lastName: 'King' })).user.firstName, 'Ada');
    await patch({ id: 'another', email: 'eve@example.com', subscription: 'unlimited_plan', tokenQuota: 1, tokensUsed: 0 });
    assert.deepEqual(ok(await get(user, '/api/user/profile')).user, { ...earlier, ...names, lastName: 'King' });
    assert.equal(ok(await get(user, '/api/auth/get-session')).user.name, 'Ada L.');
  });
});

describe('API key', () => {
  const KEY = /^sk-sokuji-[A-Za-z0-9_-]{20,}$/;
  const keyOf = async (user) => ok(await get(user, '/api/user/api-key')).apiKey;
  const withKey = (apiKey, method, path, body) => call(server, method, path, { token: apiKey, body });

  test('the same key at every call, never cached', async () => {
    const user = await rich(100);
    const first = await get(user, '/api/user/api-key');
    assert.match(ok(first).apiKey, KEY);
    assert.equal(first.body.balance, 100);
    assert.equal(first.body.provider, 'kizunaai');
    assert.equal(first.headers.get('cache-control'), 'no-store');
    assert.equal(await keyOf(user), first.body.apiKey);
  });

  test('402 while nothing is available', async () => {
    const user = await rich(0);
    const empty = await get(user, '/api/user/api-key');
    assert.equal(empty.status, 402);
    assert.equal(empty.body.error, 'Insufficient balance');
    assert.equal(empty.body.balance, 0);
    ok(await mint(user, { amount: 1 }));
    await keyOf(user);
    ok(await use(user, { amount: 1 }));
    assert.equal((await get(user, '/api/user/api-key')).status, 402);
  });

  test('reads the wallet, as a bearer token and as x-api-key', async () => {
    const user = await rich(100);
    const apiKey = await keyOf(user);
    for (const path of ['/api/wallet/balance', '/api/wallet/ledger', '/api/wallet/status', '/api/wallet/usage']) {
      const expected = ok(await get(user, path));
      assert.deepEqual(ok(await withKey(apiKey, 'GET', path)), expected);
      assert.deepEqual(ok(await call(server, 'GET', path, { headers: { 'x-api-key': apiKey } })), expected);
    }
  });

  test('charges nothing, reads no profile, makes no key', async () => {
    const user = await rich(100);
    const apiKey = await keyOf(user);
    await changesNothing(user, async () => {
      refused(await withKey(apiKey, 'POST', '/api/wallet/use', { amount: 1 }), 403, 'forbidden');
      refused(await withKey(apiKey, 'POST', '/api/wallet/mint', { userId: user.id, amount: 1 }), 403, 'forbidden');
      refused(await withKey(apiKey, 'GET', '/api/user/profile'), 403, 'forbidden');
      refused(await withKey(apiKey, 'PATCH', '/api/user/profile', { name: 'Eve' }), 403, 'forbidden');
      refused(await withKey(apiKey, 'GET', '/api/user/api-key'), 403, 'forbidden');
      refused(await withKey(apiKey, 'POST', '/api/user/api-key/rotate', {}), 403, 'forbidden');
    });
    assert.equal(await keyOf(user), apiKey);
  });

  test('is no session and no PocketBase token', async () => {
    const user = await rich(100);
    const apiKey = await keyOf(user);
    assert.equal((await withKey(apiKey, 'GET', '/api/auth/get-session')).body, null);
    const records = await withKey(apiKey, 'GET', '/api/collections/wallets/records');
    assert.ok(records.status !== 200 || records.body.items.length === 0, records.text);
  });

  test('with one letter changed is 401', async () => {
    const user = await rich(100);
    const apiKey = await keyOf(user);
    const forged = apiKey.slice(0, -1) + (apiKey.endsWith('A') ? 'B' : 'A');
    refused(await withKey(forged, 'GET', '/api/wallet/balance'), 401, 'unauthorized');
    refused(await call(server, 'GET', '/api/wallet/balance', { headers: { 'x-api-key': forged } }), 401, 'unauthorized');
  });

  test('rotate kills the old key before it answers', async () => {
    const user = await rich(100);
    const old = await keyOf(user);
    const rotated = ok(await call(server, 'POST', '/api/user/api-key/rotate', { token: user.token, body: {} }));
    assert.match(rotated.apiKey, KEY);
    assert.notEqual(rotated.apiKey, old);
    refused(await withKey(old, 'GET', '/api/wallet/balance'), 401, 'unauthorized');
    assert.equal(ok(await withKey(rotated.apiKey, 'GET', '/api/wallet/balance')).balance, 100);
    assert.equal(await keyOf(user), rotated.apiKey);
  });

  test('two users have different keys', async () => {
    assert.notEqual(await keyOf(await rich(1)), await keyOf(await rich(1)));
  });
});

describe('amounts', () => {
  const BAD = [
    ['a float', '1.5'], ['a string', '"5"'], ['zero', '0'], ['a negative', '-1'], ['10^16', '1e16'], ['10^15 + 1', '1000000000000001'],
    ['2^63', '9223372036854775808'], ['null', 'null'], ['true', 'true'], ['a list', '[5]'], ['"NaN"', '"NaN"'], ['missing', undefined],
  ];
  let user;
  before(async () => { user = await rich(100); });
  const bodyOf = (json) => `{"userId":"${user.id}","description":"d"${json === undefined ? '' : `,"amount":${json}`}}`;

  for (const [what, json] of BAD) {
    test(`${what} is 400 on mint, in the seed's words, and on use; both name amount`, async () => {
      await changesNothing(user, async () => {
        assert.equal(refused(await asRoot('/api/wallet/mint', bodyOf(json)), 400, 'invalid_request', 'amount').error, 'Invalid amount');
        refused(await asRoot('/api/wallet/use', bodyOf(json)), 400, 'invalid_request', 'amount');
      });
    });
  }

  for (const [what, json] of BAD.filter(([what]) => what !== 'a negative')) {
    test(`${what} is 400 on adjust`, async () => {
      await changesNothing(user, async () => refused(await asRoot('/api/wallet/adjust', bodyOf(json)), 400, 'invalid_request', 'amount'));
    });
  }

  test('NaN, which is no JSON, is 400', async () => {
    await changesNothing(user, async () => {
      refused(await asRoot('/api/wallet/mint', bodyOf('NaN')), 400, 'invalid_request');
      refused(await asRoot('/api/wallet/use', bodyOf('NaN')), 400, 'invalid_request');
    });
  });

  test('10^15 is the largest amount', async () => {
    const giant = await rich(0);
    assert.equal(ok(await mint(giant, { amount: 1_000_000_000_000_000 })).newBalance, 1_000_000_000_000_000);
    assert.equal(ok(await use(giant, { amount: 1_000_000_000_000_000 })).remaining, 0);
  });
});

describe('health', () => {
  test('database and session store answer', async () => {
    const db = ok(await call(server, 'GET', '/api/health/db'));
    assert.deepEqual([db.status, db.database], ['healthy', 'connected']);
    const kv = ok(await call(server, 'GET', '/api/health/kv'));
    assert.equal(kv.status, 'healthy');
    assert.equal((await call(server, 'GET', '/api/health/ready')).status, 200);
  });

  test('an unknown API route is a JSON 404', async () => {
    const answer = await call(server, 'GET', '/api/nope');
    assert.equal(answer.status, 404);
    assert.equal(answer.body.status, 404);
  });
});
