// The Vercel AI SDK through the gateway, with its providers for OpenAI and Anthropic unchanged but for base URL and key.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embedMany, generateText, stepCountIs, streamText, tool, transcribe } from 'ai';
import { z } from 'zod';
import { ANTHROPIC_MODEL, charge, OPENAI_MODEL, startGateway, TRANSCRIBER } from '../lib/gateway.mjs';

const ASK = { prompt: 'hello there', maxOutputTokens: 500 };
const SAID = 'The fake provider heard: hello there';

let gateway, caller, openai;
const models = {};
before(async () => {
  gateway = await startGateway();
  caller = await gateway.newCaller();
  ({ openai } = connect(caller.key, models));
});
beforeEach(() => gateway.fake.set(''));
after(() => gateway?.stop());

function connect(apiKey, into = {}) {
  const openai = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey });
  const anthropic = createAnthropic({ baseURL: `${gateway.url}/v1`, apiKey });
  Object.assign(into, { responses: openai(OPENAI_MODEL), chat: openai.chat(OPENAI_MODEL), anthropic: anthropic(ANTHROPIC_MODEL) });
  return { openai, anthropic, models: into };
}

const weather = (seen) => ({
  weather: tool({
    description: 'The weather',
    inputSchema: z.object({ city: z.string() }),
    execute: async (input) => { seen.push(input); return 'sunny'; },
  }),
});

for (const kind of ['responses', 'chat', 'anthropic']) {
  describe(kind, () => {
    test('a text, charged for the usage that the SDK shows', async () => {
      const { result, tokens } = await caller.spent(() => generateText({ model: models[kind], ...ASK }));
      assert.equal(result.text, SAID);
      assert.deepEqual([result.usage.inputTokens, result.usage.outputTokens], [2, 6]);
      assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    });

    test('a stream', async () => {
      const { result, tokens } = await caller.spent(async () => {
        const stream = streamText({ model: models[kind], ...ASK });
        let text = '';
        for await (const piece of stream.textStream) text += piece;
        return { text, usage: await stream.usage };
      });
      assert.equal(result.text, SAID);
      assert.equal(result.usage.outputTokens, 6);
      assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    });

    test('a tool is called and answered, each step charged', async () => {
      const seen = [];
      const { result, tokens, rows } = await caller.spent(() => generateText({ model: models[kind], ...ASK, tools: weather(seen), stopWhen: stepCountIs(3) }));
      assert.deepEqual(seen, [{ city: 'fake city' }]);
      assert.match(result.text, /sunny/);
      assert.equal(rows.length, 2);
      const costs = result.steps.map(({ usage }) => charge({ in_text: usage.inputTokens, out_text: usage.outputTokens }));
      assert.equal(tokens, costs[0] + costs[1]);
    });

    test('a refusal is an APICallError, and a retry is charged once', async () => {
      const { models: foreign } = connect('sk-sokuji-nonsense');
      const error = await generateText({ model: foreign[kind], ...ASK, maxRetries: 0 }).catch((thrown) => thrown);
      assert.ok(APICallError.isInstance(error), String(error));
      assert.equal(error.statusCode, 401);
      assert.equal(error.isRetryable, false);

      await gateway.fake.set('status=500,times=1');
      const { result, tokens } = await caller.spent(() => generateText({ model: models[kind], ...ASK, maxRetries: 1 }));
      assert.equal(result.text, SAID);
      assert.equal(tokens, charge({ in_text: 2, out_text: 6 }));
    });
  });
}

test('embeddings and a transcription', async () => {
  const embedded = await caller.spent(() => embedMany({ model: openai.embedding(OPENAI_MODEL), values: ['one two', 'three'] }));
  assert.equal(embedded.result.embeddings.length, 2);
  assert.equal(embedded.tokens, charge({ in_text: 3 }));
  const heard = await caller.spent(() => transcribe({ model: openai.transcription(TRANSCRIBER), audio: Buffer.alloc(64_000) }));
  assert.match(heard.result.text, /heard a file/);
  assert.equal(heard.tokens, charge({ in_audio: 20, out_text: 6 }));
});
