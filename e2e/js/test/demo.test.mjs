// `sokuji demo`: what it prints works as printed, it leaves nothing behind, and it takes no folder of anybody else.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import PocketBase from 'pocketbase';
import { call } from '../lib/http.mjs';
import { freePort, launch, runToEnd } from '../lib/server.mjs';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('..', import.meta.url));
const START_MS = 30_000;
const SAID = 'The fake provider heard: hello';

/** Starts a demo and waits for what it prints: { …what it prints, env, stop() }. */
async function startDemo(port, args = [], variables = {}) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, OPENAI_API_KEY: 'sk-real-key', ...variables };
  const demo = launch(['demo', '--http', `127.0.0.1:${port}`, ...args], env);
  const deadline = Date.now() + START_MS;
  while (!demo.output().includes('Ctrl-C ends the demo.')) {
    if (demo.child.exitCode !== null || Date.now() > deadline) {
      demo.child.kill('SIGINT');
      throw new Error(`the demo does not start:\n${demo.output()}`);
    }
    await sleep(20);
  }
  const output = demo.output();
  const [, email, password] = /dashboard +\S+ +(\S+) +(\S+)/.exec(output);
  return {
    output,
    url: `http://127.0.0.1:${port}`,
    key: /API key +(\S+)/.exec(output)[1],
    root: { email, password },
    /** The indented lines after a heading, up to the next text. */
    block: (heading) => /^\n*((?: {2}.*\n|\n)+)/.exec(output.slice(output.indexOf(heading) + heading.length))[1].replace(/^ {2}/gm, ''),
    /** Presses Ctrl-C, and returns the exit code. */
    async stop() {
      demo.child.kill('SIGINT');
      return demo.exited;
    },
  };
}

const isServed = (url) => fetch(url).then(() => true, () => false);

describe('the demo', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'sokuji-demo-test-'));
  const scripts = [];
  let demo, port;
  before(async () => {
    port = await freePort();
    demo = await startDemo(port, [], { TMPDIR: temporary });
  });
  after(async () => {
    await demo?.stop();
    rmSync(temporary, { recursive: true, force: true });
    for (const file of scripts) rmSync(file, { force: true });
  });

  test('says what it is, and no key of a real provider', () => {
    assert.match(demo.output, /This is a DEMO/);
    assert.ok(!demo.output.includes('sk-real-key'));
  });

  test('the curl line works', async () => {
    const { stdout } = await run('bash', ['-c', demo.block('curl:\n').replace('curl ', 'curl -sS ')]);
    assert.equal(JSON.parse(stdout).choices[0].message.content, SAID);
  });

  for (const [name, heading] of [['openai', 'with npm install openai:\n'], ['anthropic', 'or with npm install @anthropic-ai/sdk:\n']]) {
    test(`the lines for ${name} work`, async () => {
      const file = `${HERE}demo-${name}-${process.pid}.mjs`;
      scripts.push(file);
      writeFileSync(file, demo.block(heading));
      const { stdout } = await run(process.execPath, [file]);
      assert.equal(stdout.trim(), SAID);
    });
  }

  test('what it cost is in the wallet, and the line for it works', async () => {
    const { stdout } = await run('bash', ['-c', demo.block('What it cost:\n').split('\n').find((line) => line.startsWith('curl')).replace('curl ', 'curl -sS ')]);
    const status = JSON.parse(stdout);
    assert.ok(status.last30DaysUsage >= 3, stdout);
    assert.equal((await call(demo, 'GET', '/api/wallet/balance', { token: demo.key })).body.balance, 1_000_000 - status.last30DaysUsage);
  });

  test('the superuser can sign in', async () => {
    const pb = new PocketBase(demo.url);
    await pb.collection('_superusers').authWithPassword(demo.root.email, demo.root.password);
    assert.ok((await pb.collection('users').getFullList()).some(({ email }) => email === 'demo@example.com'));
  });

  test('another demo on the same port says why it does not start', async () => {
    const { code, output } = await runToEnd(['demo', '--http', `127.0.0.1:${port}`], { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: temporary }, START_MS);
    assert.equal(code, 1, output);
    assert.match(output, /address already in use/);
  });

  test('Ctrl-C ends it, and nothing is left', async () => {
    assert.equal(await demo.stop(), 0);
    assert.equal(await isServed(demo.url), false, 'the server still runs');
    assert.deepEqual(readdirSync(temporary), []);
  });
});

describe('the folder of a demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sokuji-demo-dir-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('is kept with --dir, and a second run finds everything again', async () => {
    const dir = join(folder, 'kept');
    const first = await startDemo(await freePort(), ['--dir', dir]);
    const called = await call(first, 'POST', '/v1/chat/completions', { token: first.key, body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] } });
    const { body: { balance } } = await call(first, 'GET', '/api/wallet/balance', { token: first.key });
    assert.equal(await first.stop(), 0);
    assert.equal(called.status, 200, called.text);
    const second = await startDemo(await freePort(), ['--dir', dir]);
    try {
      assert.equal(second.key, first.key);
      assert.deepEqual(second.root, first.root);
      assert.equal((await call(second, 'GET', '/api/wallet/balance', { token: second.key })).body.balance, balance);
    } finally {
      await second.stop();
    }
    assert.ok(existsSync(dir));
  });

  test('is never one that holds something else', async () => {
    writeFileSync(join(folder, 'precious'), 'data');
    const { code, output } = await runToEnd(['demo', '--dir', folder], { PATH: process.env.PATH, HOME: process.env.HOME }, START_MS);
    assert.equal(code, 1);
    assert.match(output, /is no demo's/);
    assert.deepEqual(readdirSync(folder).sort(), ['kept', 'precious']);
  });
});
