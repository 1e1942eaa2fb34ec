// The official Anthropic client through the gateway, unchanged but for base URL and key.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import Anthropic, {
  APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, PermissionDeniedError, RateLimitError,
} from '@anthropic-ai/sdk';
import { ANTHROPIC_KEY, ANTHROPIC_MODEL, charge, OPENAI_MODEL, startGateway } from '../lib/gateway.mjs';
import { post } from '../lib/people.mjs';

const model = ANTHROPIC_MODEL;
const HELLO = [{ role: 'user', content: 'hello there' }];
const SAID = 'The fake provider heard: hello there';
const TOOL = { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } };

let gateway, caller, anthropic;
before(async () => {
  gateway = await startGateway();
  caller = await gateway.newCaller();
  anthropic = client();
});
beforeEach(() => gateway.fake.set(''));
after(() => gateway?.stop());

function client(options = {}) {
  return new Anthropic({ baseURL: gateway.url, apiKey: caller.key, maxRetries: 0, timeout: 20_000, ...options });
}

const ask = (fields = {}, options) => anthropic.messages.create({ model, max_tokens: 1_000, messages: HELLO, ...fields }, options);

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

async function costs(counts, action) {
  const { result, tokens, rows } = await caller.spent(action);
  assert.equal(tokens, charge(counts), `charged for ${JSON.stringify(rows)}`);
  assert.equal(rows.length, 1);
  for (const [name, value] of Object.entries({ settledBy: 'provider', provider: 'anthropic', model, endpoint: '/v1/messages', status: 200, adjustedTotalTokens: tokens })) {
    assert.equal(rows[0][name], value, `${name} of ${JSON.stringify(rows[0])}`);
  }
  return result;
}

/** What the usage that the client reads means: input_tokens is only what no cache had part in. */
const counts = (usage) => ({
  in_text: usage.input_tokens, in_cached_text: usage.cache_read_input_tokens,
  in_cache_write_5m: usage.cache_creation_input_tokens, out_text: usage.output_tokens,
});

describe('messages', () => {
  test('a whole answer', async () => {
    const answer = await costs({ in_text: 5, out_text: 6 }, () => ask({ system: 'be very kind' }));
    assert.equal(answer.content[0].text, SAID);
    assert.equal(answer.stop_reason, 'end_turn');
  });

  test('what was read from the cache and written to it has prices of its own', async () => {
    await gateway.fake.set('in=1000,cached=600,written=100');
    const { result, tokens } = await caller.spent(() => ask());
    assert.deepEqual(counts(result.usage), { in_text: 300, in_cached_text: 600, in_cache_write_5m: 100, out_text: 6 });
    assert.equal(tokens, charge(counts(result.usage)));
  });

  test('a stream, whose counts are the last ones and no sum', async () => {
    await gateway.fake.set('cached=1');
    const events = await costs({ in_text: 1, in_cached_text: 1, out_text: 6 }, async () => all(await ask({ stream: true })));
    assert.equal(events[0].type, 'message_start');
    assert.equal(events.at(-1).type, 'message_stop');
    assert.equal(events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta.text).join(''), SAID);
  });

  test('the stream helper puts the answer together', async () => {
    const message = await costs({ in_text: 2, out_text: 6 }, () => anthropic.messages.stream({ model, max_tokens: 99, messages: HELLO }).finalMessage());
    assert.equal(message.content[0].text, SAID);
    assert.equal(message.usage.output_tokens, 6);
  });

  test('a tool is called, whole and in a stream, and its result is answered', async () => {
    const message = await costs({ in_text: 2, out_text: 12 }, () => ask({ tools: [TOOL] }));
    assert.deepEqual(message.content[0].input, { city: 'fake city' });
    const streamed = await costs({ in_text: 2, out_text: 12 }, () => anthropic.messages.stream({ model, max_tokens: 99, messages: HELLO, tools: [TOOL] }).finalMessage());
    assert.deepEqual(streamed.content[0].input, { city: 'fake city' });
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: message.content[0].id, content: 'it is sunny' }] };
    const next = await ask({ tools: [TOOL], messages: [...HELLO, { role: 'assistant', content: message.content }, result] });
    assert.equal(next.content[0].text, 'The fake provider heard: it is sunny');
  });

  test('an answer that the bound cuts short', async () => {
    const message = await costs({ in_text: 2, out_text: 3 }, () => ask({ max_tokens: 3 }));
    assert.equal(message.stop_reason, 'max_tokens');
  });

  test('an answer that came compressed', async () => {
    await gateway.fake.set('gzip');
    await costs({ in_text: 2, out_text: 6 }, () => ask());
    await costs({ in_text: 2, out_text: 6 }, async () => all(await ask({ stream: true })));
  });

  test('a stream without its end is an error, and costs what came through', async () => {
    await gateway.fake.set('nodone');
    const { result: error, tokens } = await caller.spent(() => ask({ stream: true }).then(all).catch((thrown) => thrown));
    assert.ok(error instanceof APIError, String(error));
    assert.ok(tokens >= charge({ in_text: 2, out_text: 6 }) && tokens <= charge({ in_text: 4, out_text: 12 }), `${tokens} tokens`);
  });

  test('the price is in a header', async () => {
    const { response, request_id: id } = await ask().withResponse();
    assert.equal(response.headers.get('x-sokuji-charged-tokens'), String(charge({ in_text: 2, out_text: 6 })));
    assert.ok(id === null || /^req_/.test(id), `${id}`);
  });

  test('also with the key as a bearer token', async () => {
    const answer = await client({ apiKey: null, authToken: caller.key }).messages.create({ model, max_tokens: 9, messages: HELLO });
    assert.equal(answer.content[0].text, SAID);
  });
});

test('the provider sees its own key, never ours, and the client\'s version and betas', async () => {
  await gateway.fake.forget();
  await ask({}, { headers: { 'anthropic-beta': 'some-beta-2026-01-01', 'X-Secret': 'mine' } });
  const { calls } = await gateway.fake.calls();
  assert.equal(calls.length, 1);
  const [{ headers, path, body }] = calls;
  assert.equal(path, '/v1/messages');
  assert.deepEqual(headers['X-Api-Key'], [ANTHROPIC_KEY]);
  assert.match(headers['Anthropic-Version'].join(), /^\d{4}-\d\d-\d\d$/);
  assert.deepEqual(headers['Anthropic-Beta'], ['some-beta-2026-01-01']);
  assert.ok(!('Authorization' in headers) && !('X-Secret' in headers), JSON.stringify(headers));
  assert.ok(!JSON.stringify(calls).includes(caller.key));
  assert.deepEqual(JSON.parse(body), { model, max_tokens: 1_000, messages: HELLO });
});

/** Refused with this class and this type in the body, for nothing. */
async function refused(kind, type, action) {
  const { result: error, tokens } = await caller.spent(() => action().then(() => assert.fail('was not refused'), (thrown) => thrown));
  assert.ok(error instanceof kind, `${error.constructor.name} ${error.status}: ${error.message}`);
  assert.equal(error.error?.type, 'error', error.message);
  assert.equal(error.error.error.type, type, error.message);
  assert.equal(tokens, 0);
  return error;
}

describe('errors are the client\'s own', () => {
  test('an unknown key', async () => {
    const error = await refused(AuthenticationError, 'authentication_error', () => client({ apiKey: 'sk-sokuji-nonsense' }).messages.create({ model, max_tokens: 9, messages: HELLO }));
    assert.ok(!error.message.includes('nonsense'));
  });

  test('an unknown model, and one that speaks another dialect', async () => {
    await gateway.fake.forget();
    await refused(NotFoundError, 'not_found_error', () => ask({ model: 'no-such-model' }));
    await refused(NotFoundError, 'not_found_error', () => ask({ model: OPENAI_MODEL }));
    assert.equal((await gateway.fake.calls()).count, 0);
  });

  test('an empty and a frozen wallet', async () => {
    const poor = await gateway.newCaller({ amount: 1 });
    await refused(RateLimitError, 'rate_limit_error', () => client({ apiKey: poor.key, maxRetries: 3 }).messages.create({ model, max_tokens: 9, messages: HELLO }));
    const frozen = await gateway.newCaller();
    await post(gateway.server, gateway.root, '/api/wallet/freeze', { userId: frozen.id, reason: 'test' });
    await refused(PermissionDeniedError, 'permission_error', () => client({ apiKey: frozen.key }).messages.create({ model, max_tokens: 9, messages: HELLO }));
  });

  test('what the provider finds wrong with a request passes through', async () => {
    await refused(BadRequestError, 'invalid_request_error', () => ask({ temperature: 3 }));
    await refused(BadRequestError, 'invalid_request_error', () => ask({ messages: [] }));
  });

  test('a provider that fails, is overloaded, or does not like our key', async () => {
    for (const [status, type] of [[500, 'api_error'], [529, 'overloaded_error'], [401, 'api_error']]) {
      await gateway.fake.set(`status=${status}`);
      const error = await refused(InternalServerError, type, () => ask());
      assert.ok(!error.message.includes(ANTHROPIC_KEY));
    }
  });

  test('an error in the middle of a stream, and a cut', async () => {
    for (const switches of ['fail=2', 'words=40,cut=20']) {
      await gateway.fake.set(switches);
      const { result: error, tokens, rows } = await caller.spent(() => ask({ stream: true }).then(all).catch((thrown) => thrown));
      assert.ok(error instanceof Error, `${switches}: ${error}`);
      assert.equal(rows[0].settledBy, 'partial', switches);
      assert.ok(tokens > 0, switches);
    }
  });

  test('an empty balance in the middle of a stream', async () => {
    const poor = await gateway.newCaller({ amount: charge({ in_text: 200, out_text: 3_000 }) });
    await gateway.fake.set('words=9000');
    const { result: error, tokens } = await poor.spent(() => client({ apiKey: poor.key }).messages
      .create({ model, messages: HELLO, stream: true, max_tokens: 9_000 }).then(all).catch((thrown) => thrown));
    assert.ok(error instanceof APIError, String(error));
    assert.match(error.message, /rate_limit_error|insufficient_quota/);
    assert.ok(tokens > 0);
  });
});

describe('retries', () => {
  test('a provider that is overloaded at first is asked again, and the answer is charged once', async () => {
    await gateway.fake.set('status=529,times=1');
    const message = await costs({ in_text: 2, out_text: 6 }, () => client({ maxRetries: 2 }).messages.create({ model, max_tokens: 99, messages: HELLO }));
    assert.equal(message.content[0].text, SAID);
  });

  test('the same Idempotency-Key is charged once', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const { result, tokens, rows } = await caller.spent(async () => [await ask({}, { headers }), await ask({}, { headers })]);
    assert.deepEqual(result[1], result[0]);
    assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    assert.equal(rows.length, 1);
  });
});
