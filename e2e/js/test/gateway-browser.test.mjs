// The OpenAI, Anthropic and Vercel clients on a page of another origin, in a real Chromium: whole, streamed, and refused.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser, startFrontend } from '../lib/browser.mjs';
import { ANTHROPIC_MODEL, charge, OPENAI_MODEL, startGateway } from '../lib/gateway.mjs';
import { freePort } from '../lib/server.mjs';

const SAID = 'The fake provider heard: hello there';

const PAGE = `
  import OpenAI from 'openai';
  import Anthropic from '@anthropic-ai/sdk';
  import { createOpenAI } from '@ai-sdk/openai';
  import { generateText } from 'ai';
  const messages = [{ role: 'user', content: 'hello there' }];
  const options = (apiKey) => ({ apiKey, maxRetries: 0, dangerouslyAllowBrowser: true });
  const refusal = (error) => ({ kind: error.constructor.name, status: error.status, requestID: error.requestID });
  window.openai = async (base, key, model) => {
    const client = new OpenAI({ baseURL: base + '/v1', ...options(key) });
    const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
    let streamed = '';
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) streamed += chunk.choices[0].delta.content ?? '';
    const refused = await client.chat.completions.create({ model: 'no-such-model', messages }).catch(refusal);
    return { whole: data.choices[0].message.content, streamed, refused, charged: response.headers.get('x-sokuji-charged-tokens') };
  };
  window.anthropic = async (base, key, model) => {
    const client = new Anthropic({ baseURL: base, ...options(key) });
    const ask = { model, max_tokens: 99, messages };
    const { data, response } = await client.messages.create(ask).withResponse();
    const streamed = (await client.messages.stream(ask).finalMessage()).content[0].text;
    const refused = await client.messages.create({ ...ask, model: 'no-such-model' }).catch(refusal);
    return { whole: data.content[0].text, streamed, refused, charged: response.headers.get('x-sokuji-charged-tokens') };
  };
  window.vercel = async (base, key, model) => {
    const { text } = await generateText({ model: createOpenAI({ baseURL: base + '/v1', apiKey: key })(model), prompt: 'hello there' });
    return text;
  };
`;

let gateway, caller, frontend, browser, page;
before(async () => {
  gateway = await startGateway();
  caller = await gateway.newCaller();
  frontend = await startFrontend(await freePort(), PAGE);
  browser = await openBrowser();
  page = await browser.newPage();
  await page.goto(frontend.origin);
  await page.waitForFunction(() => window.vercel && window.anthropic && window.openai);
});
after(async () => {
  await browser?.close();
  await frontend?.close();
  await gateway?.stop();
});

const onPage = (name, model) => page.evaluate(([what, ...args]) => window[what](...args), [name, gateway.url, caller.key, model]);

describe('on a page that the server does not know', () => {
  for (const [name, model] of [['openai', OPENAI_MODEL], ['anthropic', ANTHROPIC_MODEL]]) {
    test(`the client of ${name}`, async () => {
      const { result, tokens, rows } = await caller.spent(() => onPage(name, model));
      assert.equal(result.whole, SAID);
      assert.equal(result.streamed, SAID);
      assert.equal(result.refused.status, 404);
      assert.equal(tokens, 2 * charge({ in_text: 2, out_text: 6 }));
      assert.equal(rows.length, 2);
      assert.equal(result.charged, String(tokens / 2), 'the page cannot read what was charged');
    });
  }

  test('the client of Vercel', async () => {
    assert.equal(await onPage('vercel', OPENAI_MODEL), SAID);
  });
});
