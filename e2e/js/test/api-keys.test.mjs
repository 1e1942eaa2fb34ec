// Named API keys against the real binary: made by their owner, seen by the PocketBase SDK without a hash, bounded by what the
// OpenAI SDK meets, and dead when the answer says so.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { OPENAI_MODEL, startGateway } from '../lib/gateway.mjs';
import { call } from '../lib/http.mjs';
import { sdkFor } from '../lib/people.mjs';

let gateway, server, root;

before(async () => {
  gateway = await startGateway();
  ({ server, root } = gateway);
});
after(() => gateway?.stop());

const keysOf = (user) => ({
  async make(fields = {}) {
    const answer = await call(server, 'POST', '/api/user/api-keys', { token: user.token, body: { name: 'ci', ...fields } });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  },
  change: (id, fields) => call(server, 'PATCH', `/api/user/api-keys/${id}`, { token: user.token, body: fields }),
  remove: (id) => call(server, 'DELETE', `/api/user/api-keys/${id}`, { token: user.token }),
  rotate: (id, fields = {}) => call(server, 'POST', `/api/user/api-keys/${id}/rotate`, { token: user.token, body: fields }),
  async list() {
    const answer = await call(server, 'GET', '/api/user/api-keys', { token: user.token });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.apiKeys;
  },
});

const client = (apiKey) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const ask = (apiKey, model = OPENAI_MODEL) => client(apiKey).chat.completions.create({ model, max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] });
const opens = async (apiKey) => (await call(server, 'GET', '/v1/models', { token: apiKey })).status;

describe('a named key', () => {
  test('is shown once, works, and tells what it spent', async () => {
    const user = await gateway.newCaller();
    const keys = keysOf(user);
    const made = await keys.make({ spendLimitTokens: 1_000_000 });
    assert.match(made.apiKey, /^sk-sokuji-[0-9A-Za-z]{49}$/);
    const { tokens, rows } = await user.spent(() => ask(made.apiKey));
    assert.equal(rows[0].apiKeyId, made.id);
    const listed = (await keys.list()).find((key) => key.id === made.id);
    assert.deepEqual([listed.spentTokens, listed.spentTodayTokens, listed.spentThisMonthTokens, listed.heldTokens], [tokens, tokens, tokens, 0]);
    assert.ok(!JSON.stringify(await keys.list()).includes(made.apiKey), 'the list shows no key');
  });

  test('is dead when the answer is sent: deleted, disabled, rotated', async () => {
    const keys = keysOf(await gateway.newCaller());
    const [deleted, disabled, rotated] = [await keys.make(), await keys.make(), await keys.make()];
    assert.equal((await keys.remove(deleted.id)).status, 200);
    assert.equal(await opens(deleted.apiKey), 401);
    assert.equal((await keys.change(disabled.id, { disabled: true })).status, 200);
    assert.equal(await opens(disabled.apiKey), 401);
    const next = await keys.rotate(rotated.id);
    assert.equal(await opens(rotated.apiKey), 401);
    assert.equal(await opens(next.body.apiKey), 200);
    await assert.rejects(() => ask(deleted.apiKey), (error) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key');
  });

  test('opens beside its successor for the grace that it is given', async () => {
    const keys = keysOf(await gateway.newCaller());
    const made = await keys.make();
    const next = await keys.rotate(made.id, { graceSeconds: 60 });
    assert.equal(next.status, 200, next.text);
    assert.deepEqual([await opens(made.apiKey), await opens(next.body.apiKey)], [200, 200]);
    await keys.change(made.id, { disabled: true });
    assert.deepEqual([await opens(made.apiKey), await opens(next.body.apiKey)], [401, 401], 'disabling ends both');
  });

  test('meets its own limits as errors of the SDK', async () => {
    const keys = keysOf(await gateway.newCaller());
    const [poor, slow, narrow, elsewhere] = [
      await keys.make({ spendLimitTokens: 1 }), await keys.make({ rateLimitRpm: 1 }),
      await keys.make({ allowedModels: ['gpt-*'] }), await keys.make({ allowedIps: ['203.0.113.7'] }),
    ];
    await assert.rejects(() => ask(poor.apiKey), (error) => error instanceof OpenAI.RateLimitError && error.code === 'insufficient_quota');
    const first = await client(slow.apiKey).chat.completions
      .create({ model: OPENAI_MODEL, max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] }).asResponse();
    assert.deepEqual(['limit', 'remaining'].map((name) => first.headers.get(`x-ratelimit-${name}-requests`)), ['1', '0']);
    await assert.rejects(() => ask(slow.apiKey), (error) => error instanceof OpenAI.RateLimitError && error.code === 'rate_limit_exceeded' && Number(error.headers.get('retry-after')) > 0);
    await assert.rejects(() => ask(narrow.apiKey), (error) => error instanceof OpenAI.PermissionDeniedError && error.code === 'model_not_allowed');
    assert.deepEqual((await client(narrow.apiKey).models.list()).data.filter((model) => !model.id.startsWith('gpt-')), []);
    await assert.rejects(() => ask(elsewhere.apiKey), (error) => error instanceof OpenAI.PermissionDeniedError);
  });

  test('charges its owner by the wallet API, within its limit', async () => {
    const user = await gateway.newCaller();
    const made = await keysOf(user).make({ scopes: ['wallet:charge'], dailyBudgetTokens: 100 });
    const use = (amount) => call(server, 'POST', '/api/wallet/use', { token: made.apiKey, body: { amount } });
    assert.equal((await use(90)).status, 200);
    const refused = await use(11);
    assert.deepEqual([refused.status, refused.body.code], [403, 'spend_limit_reached']);
    assert.equal((await use(10)).status, 200);
    assert.equal(await opens(made.apiKey), 403, 'without the scope gateway');
  });

  test('is one on a small plan, and never manages keys', async () => {
    const user = await gateway.newCaller({ amount: 1_000 });
    const keys = keysOf(user);
    const made = await keys.make();
    const second = await call(server, 'POST', '/api/user/api-keys', { token: user.token, body: { name: 'two' } });
    assert.deepEqual([second.status, second.body.code], [403, 'forbidden']);
    for (const [method, path, body] of [
      ['GET', '/api/user/api-keys'], ['POST', '/api/user/api-keys', { name: 'x' }], ['PATCH', `/api/user/api-keys/${made.id}`, { spendLimitTokens: null }],
      ['DELETE', `/api/user/api-keys/${made.id}`], ['POST', `/api/user/api-keys/${made.id}/rotate`, {}],
    ]) {
      assert.equal((await call(server, method, path, { token: made.apiKey, body })).status, 403, `${method} ${path}`);
    }
  });
});

describe('the PocketBase SDK', () => {
  test('shows users their own keys, without hashes', async () => {
    const [ada, bob] = [await gateway.newCaller(), await gateway.newCaller()];
    const made = await keysOf(ada).make({ spendLimitTokens: 5 });
    await keysOf(ada).rotate(made.id, { graceSeconds: 60 });
    const [asAda, asBob] = [await sdkFor(server, ada), await sdkFor(server, bob)];
    const rows = await asAda.collection('api_keys').getFullList();
    assert.deepEqual(rows.map((row) => row.user), rows.map(() => ada.id));
    assert.equal(rows.find((row) => row.id === made.id).spend_limit_tokens, 5);
    await assert.rejects(() => asBob.collection('api_keys').getOne(made.id), { status: 404 });
    for (const row of [...rows, await root.collection('api_keys').getOne(made.id)]) {
      assert.deepEqual(Object.keys(row).filter((name) => name.includes('hash')), []);
    }
    for (const change of [() => asAda.collection('api_keys').update(made.id, { spend_limit_tokens: 0 }), () => asAda.collection('api_keys').delete(made.id)]) {
      await assert.rejects(change, { status: 403 });
    }
  });

  test('lets an admin disable and delete them, at once', async () => {
    const keys = keysOf(await gateway.newCaller());
    const [one, two] = [await keys.make(), await keys.make()];
    await root.collection('api_keys').update(one.id, { disabled: true });
    assert.equal(await opens(one.apiKey), 401);
    assert.equal((await keys.change(one.id, { disabled: false })).status, 403, 'the owner does not undo it');
    await root.collection('api_keys').delete(two.id);
    assert.equal(await opens(two.apiKey), 401);
  });
});
