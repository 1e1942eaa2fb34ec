// The gateway with a fake provider behind it: models with known rates, a user with tokens and a key, and what was charged.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call } from './http.mjs';
import { newUser, post, superuser } from './people.mjs';
import { startServer } from './server.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export const OPENAI_KEY = 'sk-canary-openai-provider-7Hd2';
export const ANTHROPIC_KEY = 'sk-ant-canary-provider-9Kf4';

/** Micro-USD per million of each class. All differ, so that a class that is counted as another shows in the charge. */
export const RATES = {
  in_text: 11_000_000, in_audio: 23_000_000, in_image: 31_000_000, in_cached_text: 3_000_000, in_cached_audio: 5_000_000,
  in_cache_write_5m: 13_000_000, in_cache_write_1h: 17_000_000, milliseconds: 700_000, out_text: 41_000_000, out_audio: 53_000_000,
};
const IN = Object.keys(RATES).filter((name) => !name.startsWith('out_'));
const OUT = Object.keys(RATES).filter((name) => name.startsWith('out_'));

const MARGIN_PPM = 1_200_000n;
const TOKEN_VALUE_MICRO_USD = 10n;

/** What the price book says that counts cost, in wallet tokens: rounded up once a side. */
export function charge(counts) {
  const side = (names) => {
    const sum = names.reduce((total, name) => total + BigInt(counts[name] ?? 0) * BigInt(RATES[name]), 0n) * MARGIN_PPM;
    const unit = 10n ** 12n * TOKEN_VALUE_MICRO_USD;
    return (sum + unit - 1n) / unit;
  };
  for (const name of Object.keys(counts)) assert.ok(name in RATES, `${name} is no class`);
  return Number(side(IN) + side(OUT));
}

/** The fake provider on a free port: { url, set(switches), calls(), forget(), stop() }. */
export async function startFake() {
  const folder = mkdtempSync(join(tmpdir(), 'sokuji-fake-'));
  const path = join(folder, 'fakeprovider');
  execFileSync('go', ['build', '-o', path, './e2e/fakeprovider'], { cwd: ROOT });
  const child = spawn(path, ['127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const [line] = await once(child.stdout, 'data');
  const url = String(line).trim();
  return {
    url,
    async set(switches) {
      const answer = await fetch(`${url}/fake/switches`, { method: 'POST', body: switches });
      assert.equal(answer.status, 204, await answer.text());
    },
    calls: async () => (await fetch(`${url}/fake/calls`)).json(),
    forget: () => fetch(`${url}/fake/calls`, { method: 'DELETE' }),
    async stop() {
      process.removeListener('exit', kill);
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'close');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The models that tests call, each at RATES. */
export const OPENAI_MODEL = 'fake-gpt';
export const TRANSCRIBER = 'fake-transcribe';
export const ANTHROPIC_MODEL = 'fake-claude';
const PRICED = [['openai', OPENAI_MODEL], ['openai', TRANSCRIBER], ['openai', 'whisper-1'], ['anthropic', ANTHROPIC_MODEL]];

/** A gateway: { url, server, fake, root, newCaller(), stop() }. */
export async function startGateway({ env = {} } = {}) {
  const fake = await startFake();
  let server;
  try {
    server = await startServer({
      env: {
        OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${fake.url}/v1`,
        ANTHROPIC_API_KEY: ANTHROPIC_KEY, ANTHROPIC_BASE_URL: fake.url,
        GATEWAY_ALLOW_PRIVATE: 'true', ...env,
      },
    });
  } catch (error) {
    await fake.stop();
    throw error;
  }
  const root = await superuser(server);
  for (const [provider, model] of PRICED) {
    await root.collection('prices').create({ provider, model, ...RATES, effective_from: new Date(), source: 'test' });
  }
  return {
    url: server.url,
    server,
    fake,
    root,
    newCaller: (options) => newCaller(server, root, options),
    async stop() {
      try {
        await server.stop();
      } finally {
        await fake.stop();
      }
    },
  };
}

const SETTLE_MS = 10_000;

/** The balance when nothing is held any more: a call that broke off is settled behind the client's back. */
async function settled(balance) {
  for (const deadline = Date.now() + SETTLE_MS; ; await sleep(10)) {
    const now = await balance();
    if (now.held === 0) return now;
    assert.ok(Date.now() < deadline, `${now.held} tokens stay held`);
  }
}

/** A user on the largest plan, with its tokens and a key: { …user, key, balance(), usage(), spent(do) }. */
async function newCaller(server, root, { amount } = {}) {
  const user = await newUser(server);
  const paid = amount === undefined ? { planId: 'unlimited_plan', amountCents: 99_999 } : { amount };
  await post(server, root, '/api/wallet/mint', { userId: user.id, ...paid });
  const get = async (path) => {
    const answer = await call(server, 'GET', path, { token: user.token });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  };
  const { apiKey: key } = await get('/api/user/api-key');
  const balance = () => get('/api/wallet/balance');
  return {
    ...user,
    key,
    balance,
    usage: async (limit = 10) => (await get(`/api/wallet/usage?limit=${limit}`)).usage,
    /** Runs something and returns { result, tokens, rows }: what it cost, and its usage rows, oldest first. Nothing stays held. */
    async spent(action) {
      const earlier = await balance();
      const { pagination: { total } } = await get('/api/wallet/usage?limit=1');
      const result = await action();
      const later = await settled(balance);
      const { usage, pagination } = await get('/api/wallet/usage?limit=50');
      return { result, tokens: earlier.balance - later.balance, rows: usage.slice(0, pagination.total - total).reverse() };
    },
  };
}
