// The tour in the README works as printed, on a server started as it says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { ROOT_EMAIL, ROOT_PASSWORD, startServer } from '../lib/server.mjs';
import { missingLines, printedBy, readTour, tourScript } from '../lib/tour.mjs';

const PORT = 8090;
const HERE = fileURLToPath(new URL('..', import.meta.url));

test('the reader of the tour finds steps, their order, and lines that are missing', () => {
  const markdown = [
    'Text', '<!-- tour:1 -->', '```bash', 'echo one', '```', '<!-- tour:1 output -->', '```text', 'o…e', '```',
    '<!-- tour:2 -->', '', '~~~js', 'console.log("```")', '~~~',
  ].join('\n');
  assert.deepEqual(readTour(markdown), [
    { number: 1, language: 'bash', code: 'echo one', expected: ['o…e'] },
    { number: 2, language: 'js', code: 'console.log("```")', expected: [] },
  ]);
  assert.throws(() => readTour('<!-- tour:1 -->\ntext'), /no bash, js or text block/);
  assert.throws(() => readTour('<!-- tour:2 -->\n```bash\n:\n```'), /step 1 was due/);
  assert.deepEqual(missingLines(['a…', 'c', '(b)'], ['x', 'abc', '(b)', 'c']), ['(b)']);
  assert.deepEqual(missingLines(['{"id":"…"}', '2 entries'], ['{"token":"t"}{"id":"x"}', '12 entries']), ['2 entries']);
});

async function run(script) {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: HERE, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => { output += chunk; });
  child.stderr.on('data', (chunk) => { output += chunk; });
  const [code] = await once(child, 'close');
  return { code, output };
}

async function portIsFree(port) {
  const probe = createServer().listen(port, '127.0.0.1');
  await once(probe, 'listening').catch((error) => { throw new Error(`the tour needs port ${port}: ${error.message}`); });
  probe.close();
  await once(probe, 'close');
}

describe('the tour', () => {
  let readme, steps, server, result;
  const files = [];

  before(async () => {
    readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    steps = readTour(readme);
    const named = (name, otherwise) => new RegExp(`${name}=["'\`]?([^\\s,;)"'\`\\\\|]+)`).exec(readme)?.[1] ?? otherwise;
    await portIsFree(PORT);
    server = await startServer({
      command: 'demo',
      port: PORT,
      env: { SUPERUSER_EMAIL: named('SUPERUSER_EMAIL', ROOT_EMAIL), SUPERUSER_PASSWORD: named('SUPERUSER_PASSWORD', ROOT_PASSWORD), AUTH_RATE_LIMIT: undefined },
    });
    const script = tourScript(steps, (step) => {
      const file = `${HERE}readme-tour-${step.number}.mjs`;
      writeFileSync(file, `${step.code}\n`);
      files.push(file);
      return `node '${file}'`;
    });
    result = await run(script);
  });
  after(async () => {
    for (const file of files) rmSync(file, { force: true });
    await server?.stop();
  });

  test('has at least four steps', () => {
    assert.ok(steps.length >= 4, `${steps.length} steps`);
  });

  test('runs to its end without an error', () => {
    assert.equal(result.code, 0, result.output);
  });

  test('prints what the README says', () => {
    assert.ok(steps.some((step) => step.expected.length > 0), 'the README shows no output of any step');
    for (const step of steps) {
      const printed = printedBy(step, result.output);
      assert.deepEqual(missingLines(step.expected, printed), [], `step ${step.number} printed:\n${printed.join('\n')}`);
    }
  });
});
