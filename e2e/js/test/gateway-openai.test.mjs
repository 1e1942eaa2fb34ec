// The official OpenAI client through the gateway, unchanged but for base URL and key: every route, whole and streamed,
// what it costs, what the provider sees of it, and every error as the client's own class.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import OpenAI, {
  APIConnectionError, APIError, AuthenticationError, BadRequestError, ConflictError, InternalServerError, NotFoundError,
  PermissionDeniedError, RateLimitError, toFile,
} from 'openai';
import { ANTHROPIC_MODEL, charge, OPENAI_KEY, OPENAI_MODEL, startGateway, TRANSCRIBER } from '../lib/gateway.mjs';
import { call } from '../lib/http.mjs';
import { post } from '../lib/people.mjs';

const model = OPENAI_MODEL;
const HELLO = [{ role: 'user', content: 'hello there' }];
const SAID = 'The fake provider heard: hello there';
const TOOL = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
};

let gateway, caller, openai;
before(async () => {
  gateway = await startGateway();
  caller = await gateway.newCaller();
  openai = client();
});
beforeEach(() => gateway.fake.set(''));
after(() => gateway?.stop());

function client(options = {}) {
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: caller.key, maxRetries: 0, timeout: 20_000, ...options });
}

const chat = (fields = {}, options) => openai.chat.completions.create({ model, messages: HELLO, ...fields }, options);

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The action costs exactly this, and leaves one usage row that says so. */
async function costs(counts, action, fields = {}) {
  const { result, tokens, rows } = await caller.spent(action);
  assert.equal(tokens, charge(counts), `charged for ${JSON.stringify(rows)}`);
  assert.equal(rows.length, 1);
  const [row] = rows;
  assert.equal(row.adjustedTotalTokens, tokens);
  for (const [name, value] of Object.entries({ settledBy: 'provider', provider: 'openai', status: 200, ...fields })) {
    assert.equal(row[name], value, `${name} of ${JSON.stringify(row)}`);
  }
  return result;
}

const chatCounts = ({ prompt_tokens: input, completion_tokens: output, prompt_tokens_details: i, completion_tokens_details: o }) => ({
  in_text: input - i.cached_tokens - i.audio_tokens, in_cached_text: i.cached_tokens, in_audio: i.audio_tokens,
  out_text: output - o.audio_tokens, out_audio: o.audio_tokens,
});

describe('chat completions', () => {
  test('a whole answer', async () => {
    const answer = await costs({ in_text: 2, out_text: 6 }, () => chat(), { endpoint: '/v1/chat/completions', model, inputTokens: 2, outputTokens: 6 });
    assert.equal(answer.choices[0].message.content, SAID);
    assert.equal(answer.usage.total_tokens, 8);
  });

  test('its price is in a header, and its request has a name', async () => {
    const { response, request_id: id } = await chat().withResponse();
    assert.equal(response.headers.get('x-sokuji-charged-tokens'), String(charge({ in_text: 2, out_text: 6 })));
    assert.match(id, /^req_/);
    assert.equal((await caller.usage(1))[0].requestId, id);
  });

  test('the usage that the client reads is what is charged, class by class', async () => {
    await gateway.fake.set('in=1000,cached=600,reasoning=50');
    const { result, tokens } = await caller.spent(() => chat({ n: 3 }));
    const counts = chatCounts(result.usage);
    assert.deepEqual(counts, { in_text: 400, in_cached_text: 600, in_audio: 0, out_text: 68, out_audio: 0 });
    assert.equal(tokens, charge(counts));
  });

  test('sound in and out', async () => {
    const content = [{ type: 'text', text: 'say it' }, { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }];
    const { result, tokens } = await caller.spent(() => chat({
      modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' }, messages: [{ role: 'user', content }],
    }));
    assert.ok(result.choices[0].message.audio.data);
    const counts = chatCounts(result.usage);
    assert.ok(counts.in_audio > 0 && counts.out_audio > 0, JSON.stringify(result.usage));
    assert.equal(tokens, charge(counts));
  });

  test('a stream, without the usage that nobody asked for', async () => {
    const chunks = await costs({ in_text: 2, out_text: 6 }, async () => all(await chat({ stream: true })));
    assert.equal(chunks.map(({ choices }) => choices[0].delta.content ?? '').join(''), SAID);
    assert.ok(chunks.every((chunk) => !('usage' in chunk) && chunk.choices.length === 1), 'the usage was not hidden');
    const { calls } = await gateway.fake.calls();
    assert.equal(JSON.parse(calls.at(-1).body).stream_options.include_usage, true);
  });

  test('a stream, with the usage that was asked for', async () => {
    const chunks = await costs({ in_text: 2, out_text: 6 }, async () => all(await chat({ stream: true, stream_options: { include_usage: true } })));
    assert.equal(chunks.at(-1).usage.total_tokens, 8);
    assert.deepEqual(chunks.at(-1).choices, []);
  });

  test('the stream helper puts the answer together', async () => {
    const answer = await costs({ in_text: 2, out_text: 6 }, () => openai.chat.completions.stream({ model, messages: HELLO }).finalChatCompletion());
    assert.equal(answer.choices[0].message.content, SAID);
  });

  test('a tool is called, and its result is answered', async () => {
    const answer = await costs({ in_text: 2, out_text: 12 }, () => chat({ tools: [TOOL] }));
    const { message, finish_reason: reason } = answer.choices[0];
    assert.equal(reason, 'tool_calls');
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: 'fake city' });
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'it is sunny' };
    const next = await chat({ tools: [TOOL], messages: [...HELLO, message, result] });
    assert.equal(next.choices[0].message.content, 'The fake provider heard: it is sunny');
  });

  test('a tool is called in a stream', async () => {
    const answer = await costs({ in_text: 2, out_text: 12 }, () => openai.chat.completions.stream({ model, messages: HELLO, tools: [TOOL] }).finalChatCompletion());
    assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments), { city: 'fake city' });
  });

  test('an answer that came compressed', async () => {
    await gateway.fake.set('gzip');
    assert.equal((await costs({ in_text: 2, out_text: 6 }, () => chat())).choices[0].message.content, SAID);
    assert.equal((await costs({ in_text: 2, out_text: 6 }, async () => all(await chat({ stream: true })))).length, 8);
  });

  test('a stream without its [DONE]', async () => {
    await gateway.fake.set('nodone');
    const chunks = await costs({ in_text: 2, out_text: 6 }, async () => all(await chat({ stream: true })));
    assert.equal(chunks.length, 8);
  });

  test('an explicit zero costs nothing', async () => {
    await gateway.fake.set('usage=zero');
    const { tokens } = await caller.spent(() => chat());
    assert.equal(tokens, 0);
  });

  test('an answer without usage is counted by us', async () => {
    await gateway.fake.set('usage=missing');
    const { tokens, rows } = await caller.spent(() => chat());
    assert.equal(rows[0].settledBy, 'estimate');
    assert.ok(tokens > 0);
  });

  test('usage that cannot be is bounded, and said to be wrong', async () => {
    await gateway.fake.set('usage=wrong');
    const { tokens, rows } = await caller.spent(() => chat());
    assert.equal(tokens, charge({ in_cached_text: 2, out_text: 6 }));
    assert.ok(JSON.stringify(rows[0].metadata).includes('anomalies'), JSON.stringify(rows[0]));
  });

  test('usage beyond the hold is charged all the same', async () => {
    await gateway.fake.set('in=100000,out=200000');
    await costs({ in_text: 100_000, out_text: 200_000 }, () => chat({ max_tokens: 5 }));
  });
});

describe('responses', () => {
  const ask = (fields = {}) => openai.responses.create({ model, input: 'hello there', ...fields });

  test('a whole answer', async () => {
    await gateway.fake.set('cached=1');
    const answer = await costs({ in_text: 1, in_cached_text: 1, out_text: 6 }, () => ask(), { endpoint: '/v1/responses', responseId: 'resp_fake' });
    assert.equal(answer.output_text, SAID);
  });

  test('a stream', async () => {
    const events = await costs({ in_text: 2, out_text: 6 }, async () => all(await ask({ stream: true })));
    assert.equal(events.at(-1).type, 'response.completed');
    assert.equal(events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta).join(''), SAID);
  });

  test('the stream helper puts the answer together', async () => {
    const answer = await costs({ in_text: 2, out_text: 6 }, () => openai.responses.stream({ model, input: 'hello there' }).finalResponse());
    assert.equal(answer.output_text, SAID);
  });

  test('an answer that the bound cuts short', async () => {
    const events = await costs({ in_text: 2, out_text: 3 }, async () => all(await ask({ stream: true, max_output_tokens: 3 })));
    assert.equal(events.at(-1).type, 'response.incomplete');
  });

  test('a tool is called, whole and in a stream', async () => {
    const tools = [{ type: 'function', strict: false, ...TOOL.function }];
    const answer = await costs({ in_text: 2, out_text: 12 }, () => ask({ tools }));
    assert.deepEqual(JSON.parse(answer.output[0].arguments), { city: 'fake city' });
    const streamed = await costs({ in_text: 2, out_text: 12 }, () => openai.responses.stream({ model, input: 'hello there', tools }).finalResponse());
    assert.equal(streamed.output[0].name, 'weather');
  });

  test('an answer is gone on from by who paid for it, and by nobody else', async () => {
    const { id } = await ask();
    await costs({ in_text: 2, out_text: 6 }, () => ask({ previous_response_id: id }));
    const other = client({ apiKey: (await gateway.newCaller()).key });
    const error = await other.responses.create({ model, input: 'hello there', previous_response_id: id }).catch((thrown) => thrown);
    assert.ok(error instanceof BadRequestError, String(error));
    assert.deepEqual([error.code, error.param], ['previous_response_not_found', 'previous_response_id']);
    assert.match(error.message, new RegExp(`Previous response with id '${id}' not found\\.`));
  });
});

describe('the other routes', () => {
  const file = (seconds) => toFile(Buffer.alloc(32_000 * seconds), 'speech.wav', { type: 'audio/wav' });

  test('embeddings, as the client unpacks them', async () => {
    const answer = await costs({ in_text: 3 }, () => openai.embeddings.create({ model, input: ['one two', 'three'] }), { endpoint: '/v1/embeddings' });
    assert.deepEqual([...answer.data[1].embedding], [0, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('a transcription, by tokens', async () => {
    const answer = await costs({ in_audio: 20, out_text: 6 }, async () => openai.audio.transcriptions.create({ model: TRANSCRIBER, file: await file(2) }),
      { endpoint: '/v1/audio/transcriptions' });
    assert.equal(answer.text, 'The fake provider heard a file.');
  });

  test('a transcription in a stream', async () => {
    const events = await costs({ in_audio: 20, out_text: 6 },
      async () => all(await openai.audio.transcriptions.create({ model: TRANSCRIBER, file: await file(2), stream: true })));
    assert.equal(events.at(-1).type, 'transcript.text.done');
  });

  test('a transcription by duration, and as text', async () => {
    const verbose = await costs({ milliseconds: 2_000 }, async () => openai.audio.transcriptions.create({ model: 'whisper-1', file: await file(2), response_format: 'verbose_json' }));
    assert.equal(verbose.duration, 2);
    const text = await caller.spent(async () => openai.audio.transcriptions.create({ model: TRANSCRIBER, file: await file(2), response_format: 'text' }));
    assert.equal(text.result, 'The fake provider heard a file.\n');
    assert.ok(text.tokens > 0, 'an answer without usage is not free');
  });

  test('a speech', async () => {
    const { result, tokens } = await caller.spent(async () => {
      const answer = await openai.audio.speech.create({ model, voice: 'alloy', input: 'one two', response_format: 'wav' });
      assert.equal(answer.headers.get('content-type'), 'audio/wav');
      return answer.arrayBuffer();
    });
    assert.equal(result.byteLength, 'one two'.length * 64);
    assert.ok(tokens > 0);
  });

  test('images', async () => {
    const answer = await costs({ in_text: 3, out_text: 200 }, () => openai.images.generate({ model, prompt: 'a red cat', n: 2 }), { endpoint: '/v1/images/generations' });
    assert.equal(answer.data.length, 2);
  });

  const spokenInEvents = async () => {
    const answer = await openai.audio.speech.create({ model, voice: 'alloy', input: 'one two', stream_format: 'sse' });
    assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
    return (await answer.text()).split('\n\n').filter(Boolean).map((event) => JSON.parse(event.replace(/^data: /, '')));
  };

  test('a speech in events', async () => {
    const events = await costs({ in_text: 2, out_audio: 4 }, spokenInEvents, { endpoint: '/v1/audio/speech' });
    assert.deepEqual(events.map(({ type }) => type), ['speech.audio.delta', 'speech.audio.delta', 'speech.audio.done']);
  });

  test('a speech in events without usage costs what was asked for', async () => {
    await gateway.fake.set('usage=missing');
    await costs({ in_text: 7, out_audio: 11 }, spokenInEvents, { settledBy: 'estimate' });
  });

  test('an image in a stream', async () => {
    const events = await costs({ in_text: 3, out_text: 100 }, async () => all(await openai.images.generate({ model, prompt: 'a red cat', stream: true, partial_images: 1 })));
    assert.deepEqual(events.map(({ type }) => type), ['image_generation.partial_image', 'image_generation.completed']);
    assert.equal(events.at(-1).usage.output_tokens, 100);
  });

  test('an image in a stream that breaks off costs a picture', async () => {
    const asked = { model, prompt: 'a red cat', stream: true, partial_images: 1 };
    await gateway.fake.set('cut=1');
    const { result, tokens, rows } = await caller.spent(async () => all(await openai.images.generate(asked)).catch((thrown) => thrown));
    assert.ok(result instanceof APIError, String(result));
    assert.equal(tokens, charge({ in_text: Math.floor(JSON.stringify(asked).length / 4) + 1, out_text: 6_600 }));
    assert.equal(rows[0].settledBy, 'partial');
  });

  test('the models are those with a price', async () => {
    const ids = (await all(openai.models.list())).map(({ id }) => id);
    assert.ok(ids.includes(model) && ids.includes(ANTHROPIC_MODEL), ids.join());
    assert.ok(!ids.includes('text-davinci-003'));
  });
});

describe('what the provider sees', () => {
  test('its own key, never ours, and nothing of who asks', async () => {
    await gateway.fake.forget();
    await chat({ temperature: 0.5, seed: 7, metadata: { a: 'b' } }, { headers: { 'X-Secret': 'mine', Cookie: 'a=b', 'X-Forwarded-For': '10.0.0.1' } });
    const { calls } = await gateway.fake.calls();
    assert.equal(calls.length, 1);
    const [{ headers, body }] = calls;
    assert.deepEqual(headers.Authorization, [`Bearer ${OPENAI_KEY}`]);
    assert.ok(!JSON.stringify(calls).includes(caller.key));
    for (const name of ['X-Secret', 'Cookie', 'X-Forwarded-For', 'X-Api-Key']) assert.ok(!(name in headers), name);
    assert.deepEqual(JSON.parse(body), { model, messages: HELLO, temperature: 0.5, seed: 7, metadata: { a: 'b' } });
  });

  test('one connection for many calls', async () => {
    await gateway.fake.forget();
    for (let i = 0; i < 5; i++) await chat();
    const { calls } = await gateway.fake.calls();
    assert.equal(new Set(calls.map(({ connection }) => connection)).size, 1);
  });
});

/** The action is refused with this class and code, costs nothing, and leaves nothing held. */
async function refused(kind, code, action) {
  const { result: error, tokens } = await caller.spent(() => action().then(() => assert.fail('was not refused'), (thrown) => thrown));
  assert.ok(error instanceof kind, `${error.constructor.name} ${error.status}: ${error.message}`);
  assert.equal(error.code, code, error.message);
  assert.equal(tokens, 0);
  return error;
}

describe('errors are the client\'s own', () => {
  test('an unknown key', async () => {
    for (const apiKey of ['sk-sokuji-nonsense', 'sk-other', `${caller.key.slice(0, -1)}${caller.key.endsWith('x') ? 'y' : 'x'}`]) {
      const error = await refused(AuthenticationError, 'invalid_api_key', () => client({ apiKey }).chat.completions.create({ model, messages: HELLO }));
      assert.ok(!error.message.includes(apiKey), 'the key is repeated');
    }
  });

  test('an unknown model, before any provider hears of it', async () => {
    await gateway.fake.forget();
    await refused(NotFoundError, 'model_not_found', () => chat({ model: 'no-such-model' }));
    await refused(NotFoundError, 'model_not_found', () => chat({ model: ANTHROPIC_MODEL }));
    assert.equal((await gateway.fake.calls()).count, 0);
  });

  test('an empty wallet is insufficient_quota, and not tried again', async () => {
    const poor = await gateway.newCaller({ amount: 1 });
    await gateway.fake.forget();
    const asked = client({ apiKey: poor.key, maxRetries: 3 });
    const { result: error } = await poor.spent(() => asked.chat.completions.create({ model, messages: HELLO }).catch((thrown) => thrown));
    assert.ok(error instanceof RateLimitError, String(error));
    assert.equal(error.code, 'insufficient_quota');
    assert.equal((await gateway.fake.calls()).count, 0);
  });

  test('a frozen wallet', async () => {
    const frozen = await gateway.newCaller();
    await post(gateway.server, gateway.root, '/api/wallet/freeze', { userId: frozen.id, reason: 'test' });
    const error = await client({ apiKey: frozen.key }).chat.completions.create({ model, messages: HELLO }).catch((thrown) => thrown);
    assert.ok(error instanceof PermissionDeniedError, String(error));
    assert.equal(error.code, 'wallet_frozen');
    assert.equal(error.type, 'permission_error');
  });

  test('a body that names no model, or is no JSON', async () => {
    const error = await openai.post('/chat/completions', { body: { messages: HELLO } }).catch((thrown) => thrown);
    assert.ok(error instanceof BadRequestError, String(error));
    assert.match(error.message, /model/);
    const broken = await call(gateway.server, 'POST', '/v1/chat/completions', { token: caller.key, body: '{"model":' });
    assert.equal(broken.status, 400);
    assert.equal(broken.body.error.type, 'invalid_request_error');
  });

  test('what the provider finds wrong with a request passes through', async () => {
    const { result: error, tokens } = await caller.spent(() => chat({ temperature: 3 }).catch((thrown) => thrown));
    assert.ok(error instanceof BadRequestError, String(error));
    assert.equal(error.param, 'temperature');
    assert.equal(tokens, 0);
  });

  test('what the provider finds wrong with our key does not', async () => {
    for (const status of [401, 403]) {
      await gateway.fake.set(`status=${status}`);
      const error = await refused(InternalServerError, 'provider_error', () => chat());
      assert.equal(error.status, 502);
      assert.ok(!error.message.includes(OPENAI_KEY));
    }
  });

  test('a provider that fails before output', async () => {
    for (const status of [500, 502, 503]) {
      await gateway.fake.set(`status=${status}`);
      await refused(InternalServerError, 'provider_error', () => chat());
      await refused(InternalServerError, 'provider_error', () => chat({ stream: true }));
    }
  });

  test('a provider that is limited says when to come again', async () => {
    await gateway.fake.set('status=429,retry-after=3');
    const { result: error, tokens } = await caller.spent(() => chat().catch((thrown) => thrown));
    assert.ok(error instanceof RateLimitError || error instanceof InternalServerError, String(error));
    assert.equal(tokens, 0);
  });

  test('a stream that is cut is an error, and what came through is charged', async () => {
    await gateway.fake.set('words=40,cut=20');
    const { result, tokens, rows } = await caller.spent(async () => {
      const seen = [];
      const error = await (async () => { for await (const chunk of await chat({ stream: true })) seen.push(chunk); })().catch((thrown) => thrown);
      return { seen, error };
    });
    assert.ok(result.error instanceof Error, String(result.error));
    assert.ok(result.seen.length >= 20, `${result.seen.length} chunks`);
    assert.equal(rows[0].settledBy, 'partial');
    assert.ok(tokens > 0 && tokens <= charge({ in_text: 100, out_text: 80 }), `${tokens} tokens`);
  });

  test('an error in the middle of a stream', async () => {
    await gateway.fake.set('fail=2');
    const { result: error } = await caller.spent(() => chat({ stream: true }).then(all).catch((thrown) => thrown));
    assert.ok(error instanceof APIError, String(error));
  });

  test('an empty balance in the middle of a stream', async () => {
    const poor = await gateway.newCaller({ amount: charge({ in_text: 200, out_text: 3_000 }) });
    await gateway.fake.set('words=9000');
    const { result: error, tokens } = await poor.spent(() => client({ apiKey: poor.key }).chat.completions
      .create({ model, messages: HELLO, stream: true, max_tokens: 9_000 }).then(all).catch((thrown) => thrown));
    assert.ok(error instanceof APIError, String(error));
    assert.equal(error.code, 'insufficient_quota');
    assert.ok(tokens > 0 && tokens < charge({ in_text: 200, out_text: 4_500 }), `${tokens} tokens`);
  });
});

describe('retries', () => {
  // The client itself sends no such header: who wants a call to happen once sets it.
  const once = (key = randomUUID()) => ({ headers: { 'Idempotency-Key': key } });

  test('a provider that fails at first is asked again, and the answer is charged once', async () => {
    await gateway.fake.set('status=500,times=1');
    await gateway.fake.forget();
    const { tokens, result } = await caller.spent(() => client({ maxRetries: 2 }).chat.completions.create({ model, messages: HELLO }));
    assert.equal(result.choices[0].message.content, SAID);
    assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    assert.equal((await gateway.fake.calls()).count, 2);
  });

  test('the same Idempotency-Key answers the first result, and is charged once', async () => {
    const key = once();
    await gateway.fake.forget();
    const { tokens, rows, result } = await caller.spent(async () => {
      const first = await chat({}, key);
      const second = await chat({}, key).withResponse();
      assert.deepEqual(second.data, first);
      return second.response.headers.get('idempotent-replayed');
    });
    assert.equal(result, 'true');
    assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    assert.equal(rows.length, 1);
    assert.equal((await gateway.fake.calls()).count, 1);
  });

  test('also in a stream, and while the first still runs', async () => {
    await gateway.fake.set('slow=20ms');
    const key = once();
    const { tokens, result } = await caller.spent(() => Promise.all([1, 2, 3].map(async () => all(await chat({ stream: true }, key)))));
    assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    for (const chunks of result) assert.equal(chunks.map(({ choices }) => choices[0].delta.content ?? '').join(''), SAID);
  });

  test('with another body it is refused, at once', async () => {
    const key = once();
    await chat({}, key);
    const { result: error, tokens } = await caller.spent(() => client({ maxRetries: 3 }).chat.completions
      .create({ model, messages: [{ role: 'user', content: 'something else' }] }, key).catch((thrown) => thrown));
    assert.ok(error instanceof ConflictError, String(error));
    assert.equal(error.code, 'idempotency_mismatch');
    assert.equal(tokens, 0);
  });

  test('a client that times out and tries again pays once', async () => {
    await gateway.fake.set('wait=1500ms,times=1');
    const { tokens, rows } = await caller.spent(async () => {
      const answer = await client({ maxRetries: 2, timeout: 700 }).chat.completions
        .create({ model, messages: HELLO }, once());
      assert.equal(answer.choices[0].message.content, SAID);
    });
    assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    assert.equal(rows.length, 1);
  });

  test('a server that is not there is a connection error', async () => {
    const error = await client({ baseURL: 'http://127.0.0.1:9/v1' }).chat.completions.create({ model, messages: HELLO }).catch((thrown) => thrown);
    assert.ok(error instanceof APIConnectionError, String(error));
  });
});

describe('limits of a key', () => {
  /** A named key with these bounds, and a client with it. */
  async function limited(bounds) {
    const made = await call(gateway.server, 'POST', '/api/user/api-keys', { token: caller.token, body: { name: randomUUID(), scopes: ['gateway'], ...bounds } });
    assert.ok(made.body?.apiKey, made.text);
    return { id: made.body.id, ask: (options = {}) => client({ apiKey: made.body.apiKey, ...options }).chat.completions.create({ model, messages: HELLO }) };
  }

  test('requests a minute: RateLimitError, and how long to wait', async () => {
    const { ask } = await limited({ rateLimitRpm: 1 });
    const { response } = await ask().withResponse();
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), '1');
    assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '0');
    const error = await refused(RateLimitError, 'rate_limit_exceeded', () => ask());
    const seconds = Number(error.headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 60, `${seconds} seconds`);
  });

  test('models: PermissionDeniedError', async () => {
    const { ask } = await limited({ allowedModels: ['another-*'] });
    await refused(PermissionDeniedError, 'model_not_allowed', () => ask());
  });

  test('spending: insufficient_quota, which is not tried again', async () => {
    const { ask } = await limited({ spendLimitTokens: 1 });
    await gateway.fake.forget();
    await refused(RateLimitError, 'insufficient_quota', () => ask({ maxRetries: 3 }));
    assert.equal((await gateway.fake.calls()).count, 0);
  });

  test('a key that was deleted: AuthenticationError, at once', async () => {
    const { id, ask } = await limited({});
    await ask();
    const gone = await call(gateway.server, 'DELETE', `/api/user/api-keys/${id}`, { token: caller.token });
    assert.ok(gone.status < 300, gone.text);
    await refused(AuthenticationError, 'invalid_api_key', () => ask());
  });
});
