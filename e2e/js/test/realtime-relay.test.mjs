// The official OpenAI clients of realtime sessions through the relay, and a browser's socket: what turns cost by class,
// why a session ends, and what becomes of keys.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import OpenAI from 'openai';
import { OpenAIRealtimeTranslationWS } from 'openai/realtime/translations/ws';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { WebSocket as NodeSocket } from 'ws';
import { charge, OPENAI_KEY, OPENAI_MODEL, startGateway } from '../lib/gateway.mjs';
import { call } from '../lib/http.mjs';
import { post } from '../lib/people.mjs';

const model = OPENAI_MODEL;
const SESSIONS_OF_THE_FREE_PLAN = 1;
const BYTES_PER_SECOND = 48_000;

let gateway, caller;
before(async () => {
  gateway = await startGateway();
  caller = await gateway.newCaller();
});
beforeEach(() => gateway.fake.set(''));
after(() => gateway?.stop());

// The clients insist on TLS, and the server under test has none: their sockets are told to do without. No byte above it
// is changed.
const secure = () => gateway.url.replace('http:', 'https:');
const withoutTLS = { createConnection: (options) => net.connect(options) };
class BrowserSocket extends NodeSocket {
  constructor(url, protocols) {
    super(url, protocols, withoutTLS);
  }
}
globalThis.WebSocket = BrowserSocket;

const sdk = (key = caller.key) => new OpenAI({ baseURL: `${secure()}/v1`, apiKey: key });

/** A client of the SDK with its events in order: { client, next(type), ended, send }. */
function session(client) {
  const events = [];
  let arrived = () => {};
  const push = (event) => {
    events.push(event);
    arrived();
  };
  client.on('event', push);
  client.on('error', () => {}); // it is among the events, too
  const ended = new Promise((resolve) => {
    client.socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  ended.then(() => push({ type: 'the end' }));
  return {
    client,
    ended,
    send: (event) => client.send(event),
    close: async () => {
      client.close();
      await ended;
    },
    /** The next event of a type; those before it are passed over. */
    async next(type) {
      for (const seen = []; ; ) {
        while (events.length === 0) await new Promise((resolve) => { arrived = resolve; });
        const event = events.shift();
        if (event.type === type) return event;
        assert.notEqual(event.type, 'the end', `no ${type} came, but ${seen}`);
        seen.push(event.type);
      }
    },
  };
}

const CLIENTS = {
  'over ws': (key, options = {}) => new OpenAIRealtimeWS({ model, options: withoutTLS, ...options }, sdk(key)),
  'as in a browser': (key, options = {}) => new OpenAIRealtimeWebSocket({ model, ...options }, sdk(key)),
};

async function open(connect, key, options) {
  const opened = session(connect(key, options));
  await opened.next('session.created');
  return opened;
}

const item = (text) => ({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] } });
const audio = (type, seconds) => ({ type, audio: Buffer.alloc(seconds * BYTES_PER_SECOND).toString('base64') });
const answer = (fake = '', modalities = ['text']) => ({ type: 'response.create', response: { output_modalities: modalities, metadata: { fake } } });

/** The classes of a usage as the provider reports it. */
function classes({ input_token_details: heard, output_token_details: said }) {
  const { text_tokens: text, audio_tokens: sound } = heard.cached_tokens_details;
  return {
    in_text: heard.text_tokens - text, in_cached_text: text, in_audio: heard.audio_tokens - sound, in_cached_audio: sound,
    out_text: said.text_tokens, out_audio: said.audio_tokens,
  };
}

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(`the OpenAI client ${name}`, () => {
    test('each turn costs what the price book says of its classes', async () => {
      const { result: usages, tokens, rows } = await caller.spent(async () => {
        const talk = await open(connect);
        const spoken = [];
        talk.send(item('one two three'));
        talk.send(answer());
        spoken.push((await talk.next('response.done')).response.usage);
        talk.send(audio('input_audio_buffer.append', 2));
        talk.send({ type: 'input_audio_buffer.commit' });
        talk.send(answer('', ['audio']));
        spoken.push((await talk.next('response.done')).response.usage);
        talk.send(answer('words=3'));
        spoken.push((await talk.next('response.done')).response.usage);
        await talk.close();
        return spoken;
      });
      assert.deepEqual(rows.map((row) => row.chargedTokens), usages.map((usage) => charge(classes(usage))));
      assert.equal(tokens, rows.reduce((sum, row) => sum + row.chargedTokens, 0));
      assert.ok(usages[2].input_token_details.cached_tokens_details.audio_tokens > 0, 'the third turn hears sound again');
      for (const [i, row] of rows.entries()) {
        assert.equal(row.eventType, 'response.done');
        assert.equal(row.settledBy, 'provider');
        assert.equal(row.endpoint, '/v1/realtime');
        assert.equal(row.sessionId, rows[0].sessionId);
        assert.equal(row.responseId, `resp_${i + 1}`);
      }
    });

    test('a transcription has the price of the model that writes down', async () => {
      const { tokens, rows } = await caller.spent(async () => {
        const talk = await open(connect);
        talk.send({ type: 'session.update', session: { type: 'realtime', audio: { input: { transcription: { model: 'whisper-1' } } } } });
        talk.send(audio('input_audio_buffer.append', 2));
        talk.send({ type: 'input_audio_buffer.commit' });
        await talk.next('conversation.item.input_audio_transcription.completed');
        await talk.close();
      });
      assert.equal(tokens, charge({ milliseconds: 2000 }));
      assert.equal(rows[0].model, 'whisper-1');
    });

    test('a report that comes twice is charged once', async () => {
      const { tokens, result } = await caller.spent(async () => {
        const talk = await open(connect);
        talk.send(answer('words=4,twice'));
        const { response } = await talk.next('response.done');
        await talk.next('response.done');
        await talk.close();
        return response.usage;
      });
      assert.equal(tokens, charge(classes(result)));
    });

    test('a client that hangs up pays what was said until then', async () => {
      const { tokens, rows } = await caller.spent(async () => {
        const talk = await open(connect);
        talk.send(answer('words=1000,slow=20ms'));
        await talk.next('response.output_text.delta');
        await talk.close();
      });
      assert.equal(rows.length, 1);
      assert.ok(tokens > 0 && tokens < charge({ out_text: 1000 }), `${tokens} tokens were charged`);
    });

    test('a provider that breaks off is an error event, and what it said is charged', async () => {
      const { rows } = await caller.spent(async () => {
        const talk = await open(connect);
        talk.send(answer('words=9,cut=5'));
        assert.equal((await talk.next('error')).error.code, 'provider_error');
        assert.equal((await talk.ended).code, 1011);
      });
      assert.deepEqual(rows.map((row) => row.settledBy), ['partial']);
    });

    test('an empty wallet is an error event and close 1008', async () => {
      const poor = await gateway.newCaller({ amount: 1 });
      const talk = session(connect(poor.key));
      const { error } = await talk.next('error');
      assert.deepEqual([error.type, error.code], ['insufficient_quota', 'insufficient_quota']);
      assert.equal((await talk.ended).code, 1008);
      assert.equal((await poor.balance()).balance, 1);
    });

    test('a wallet that empties within a session ends it after the turn', async () => {
      const { tokens, rows, result } = await caller.spent(async () => {
        const talk = await open(connect);
        const { balance } = await caller.balance();
        talk.send(answer('words=3,slow=100ms'));
        await talk.next('response.created');
        await post(gateway.server, gateway.root, '/api/wallet/use', { userId: caller.id, amount: balance, allowNegative: true });
        const { response } = await talk.next('response.done');
        assert.equal((await talk.next('error')).error.code, 'insufficient_quota');
        assert.equal((await talk.ended).code, 1008);
        return { balance, usage: response.usage };
      });
      assert.equal(tokens, result.balance + charge(classes(result.usage)));
      assert.equal(rows.at(-1).settledBy, 'provider');
      await post(gateway.server, gateway.root, '/api/wallet/mint', { userId: caller.id, amount: tokens });
    });

    test('a wallet that is frozen within a session ends it, and the turn is recorded', async () => {
      const frozen = await gateway.newCaller({ amount: 10_000_000 });
      const { rows } = await frozen.spent(async () => {
        const talk = await open(connect, frozen.key);
        talk.send(answer('words=3,slow=100ms'));
        await talk.next('response.created');
        await post(gateway.server, gateway.root, '/api/wallet/freeze', { userId: frozen.id, reason: 'test' });
        await talk.next('response.done');
        assert.equal((await talk.next('error')).error.code, 'wallet_frozen');
        assert.equal((await talk.ended).code, 1008);
      });
      assert.deepEqual(rows.map((row) => row.settledBy), ['provider']);
    });

    test('more sessions than the plan has are refused until one ends', async () => {
      const free = await gateway.newCaller({ amount: 10_000_000 });
      const talks = [];
      for (let i = 0; i < SESSIONS_OF_THE_FREE_PLAN; i++) talks.push(await open(connect, free.key));
      const refused = session(connect(free.key));
      assert.equal((await refused.next('error')).error.code, 'rate_limit_exceeded');
      assert.equal((await refused.ended).code, 1008);
      await Promise.all(talks.map((talk) => talk.close()));
      await free.spent(() => {}); // nothing is held any more
      const again = await open(connect, free.key);
      await again.close();
    });

    test('a wrong key opens nothing', async () => {
      const client = connect('sk-sokuji-wrong');
      client.on('error', () => {});
      const [event] = await once(client.socket, 'error');
      assert.match(String(event.message ?? event), /401/);
    });

    test('a model without a price is an error event, and no provider hears of it', async () => {
      const calls = (await gateway.fake.calls()).count;
      const talk = session(connect(undefined, { model: 'unheard-of' }));
      assert.equal((await talk.next('error')).error.code, 'model_not_found');
      assert.equal((await talk.ended).code, 1008);
      assert.equal((await gateway.fake.calls()).count, calls);
    });

    test('another model within the session is refused, and the session goes on', async () => {
      await caller.spent(async () => {
        const talk = await open(connect);
        talk.send({ type: 'session.update', event_id: 'mine', session: { model: 'dear' } });
        const { error } = await talk.next('error');
        assert.deepEqual([error.param, error.event_id], ['session.model', 'mine']);
        talk.send(answer('words=1'));
        await talk.next('response.done');
        await talk.close();
      });
    });
  });
}

describe('the translation client', () => {
  const connect = (key) => OpenAIRealtimeTranslationWS.create(sdk(key), { model, options: withoutTLS });

  test('a translation costs what was heard, by time', async () => {
    const { tokens, rows } = await caller.spent(async () => {
      const client = await connect();
      const heard = [];
      client.on('session.output_audio.delta', (event) => heard.push(event));
      await once(client.socket.platformSocket, 'open');
      client.send({ type: 'session.update', session: { audio: { output: { language: 'de' } } } });
      for (let i = 0; i < 4; i++) client.send(audio('session.input_audio_buffer.append', 10));
      await client.finish({ timeoutMs: 10_000 });
      assert.equal(heard.length, 4);
    });
    assert.deepEqual(rows.map((row) => row.chargedTokens), [charge({ milliseconds: 30_000 }), charge({ milliseconds: 10_000 })]);
    assert.equal(tokens, charge({ milliseconds: 30_000 }) + charge({ milliseconds: 10_000 }));
    assert.equal(rows[0].endpoint, '/v1/realtime/translations');
  });

  test('as the Sokuji app calls it: a socket with the key in a sub-protocol', async () => {
    const { tokens } = await caller.spent(async () => {
      const socket = new NodeSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime/translations?model=${model}`, ['realtime', `openai-insecure-api-key.${caller.key}`]);
      const [created] = await once(socket, 'message');
      assert.equal(JSON.parse(created).type, 'session.created');
      assert.equal(socket.protocol, 'realtime');
      socket.send(JSON.stringify({ type: 'session.update', session: { audio: { output: { language: 'ja' } } } }));
      await once(socket, 'message');
      socket.send(JSON.stringify(audio('session.input_audio_buffer.append', 1)));
      await once(socket, 'message');
      socket.close();
      await once(socket, 'close');
    });
    assert.equal(tokens, charge({ milliseconds: 1000 }));
  });

  test('an empty wallet is an error event and close 1008', async () => {
    const poor = await gateway.newCaller({ amount: 1 });
    const client = await connect(poor.key);
    const failed = new Promise((resolve) => client.on('error', resolve));
    const [[code], error] = await Promise.all([once(client.socket.platformSocket, 'close'), failed]);
    assert.equal(code, 1008);
    assert.equal(error.error.code, 'insufficient_quota');
  });
});

describe('keys', () => {
  test('the provider sees its own key only, and no answer or log has the client’s', async () => {
    await gateway.fake.forget();
    for (const connect of Object.values(CLIENTS)) await (await open(connect)).close();
    await caller.spent(() => {});
    const { calls } = await gateway.fake.calls();
    assert.equal(calls.length, 2);
    for (const seen of calls) {
      assert.equal(seen.headers.Authorization[0], `Bearer ${OPENAI_KEY}`);
      assert.ok(!JSON.stringify(seen).includes(caller.key), 'the provider saw the client’s key');
    }
    const logs = await gateway.root.logs.getList(1, 500);
    assert.ok(!JSON.stringify(logs).includes(caller.key), 'the key is in the logs');
  });

  test('a key that is revoked ends its session after the turn', async () => {
    const user = await gateway.newCaller({ amount: 10_000_000 });
    const talk = await open(CLIENTS['over ws'], user.key);
    talk.send(answer('words=3,slow=100ms'));
    await talk.next('response.created');
    const rotated = await call(gateway.server, 'POST', '/api/user/api-key/rotate', { token: user.token, body: {} });
    assert.equal(rotated.status, 200, rotated.text);
    await talk.next('response.done');
    assert.equal((await talk.next('error')).error.code, 'invalid_api_key');
    assert.equal((await talk.ended).code, 1008);
  });
});
