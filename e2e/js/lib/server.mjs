// One running server: starts the compiled binary on a free port in a fresh data folder and takes both away again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 30_000;
const STOP_MS = 20_000;

export const ROOT_EMAIL = 'root@example.com';
export const ROOT_PASSWORD = 'root-password-123';
export const SECRET = 'e2e-secret-e2e-secret-e2e-secret-e2e-secret';
export const FRONTEND = 'http://localhost:5173';

/** The settings every test starts from. A key given as undefined is taken out. */
export function settings(overrides = {}) {
  const merged = {
    AUTH_RATE_LIMIT: '0',
    FRONTEND_URL: FRONTEND,
    SOKUJI_SECRET: SECRET,
    SUPERUSER_EMAIL: ROOT_EMAIL,
    SUPERUSER_PASSWORD: ROOT_PASSWORD,
    ...overrides,
  };
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  for (const [name, value] of Object.entries(merged)) if (value !== undefined) env[name] = value;
  return env;
}

export function binary() {
  const path = process.env.SOKUJI_BIN;
  if (!path || !isAbsolute(path) || !existsSync(path)) {
    throw new Error(`SOKUJI_BIN must be the absolute path of the compiled server; it is ${JSON.stringify(path)}`);
  }
  return path;
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export const tempDir = () => mkdtempSync(join(tmpdir(), 'sokuji-e2e-'));

/** Starts the binary and says nothing about whether it serves. `exited` resolves to its exit code, or its signal. */
export function launch(args, env) {
  const child = spawn(binary(), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => { output += chunk; });
  child.stderr.on('data', (chunk) => { output += chunk; });
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  exited.then(() => process.removeListener('exit', kill), () => {});
  return { child, exited, output: () => output };
}

/** Runs the binary to its end: { code, output }. A run that does not end in time is killed and an error. */
export async function runToEnd(args, env, limitMs = 10_000) {
  const run = launch(args, env);
  const stillRunning = Symbol('still running');
  const code = await Promise.race([run.exited, sleep(limitMs, stillRunning, { ref: false })]);
  if (code === stillRunning) {
    run.child.kill('SIGKILL');
    await run.exited;
    throw new Error(`"${args.join(' ')}" still ran after ${limitMs} ms:\n${run.output()}`);
  }
  return { code, output: run.output() };
}

/** A server that answers. `env` is laid over settings(); the command may be demo, too. */
export async function startServer({ command = 'serve', env = {}, port, dir } = {}) {
  port ??= await freePort();
  const ownsDir = dir === undefined;
  dir ??= tempDir();
  const run = launch([command, '--http', `127.0.0.1:${port}`, '--dir', dir], settings(env));
  const url = `http://127.0.0.1:${port}`;

  async function stop() {
    if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGTERM');
    const forced = setTimeout(() => run.child.kill('SIGKILL'), STOP_MS);
    const code = await run.exited;
    clearTimeout(forced);
    if (ownsDir) rmSync(dir, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended with ${code} after SIGTERM:\n${run.output()}`);
  }

  const giveUp = (reason) => {
    run.child.kill('SIGKILL');
    if (ownsDir) rmSync(dir, { recursive: true, force: true });
    throw new Error(`${reason}:\n${run.output()}`);
  };
  let ended;
  run.exited.then((code) => { ended = { code }; }, (error) => { ended = { code: error.message }; });
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (ended) giveUp(`the server died (${ended.code}) before it answered`);
    const status = await fetch(`${url}/api/health`).then((answer) => answer.status, () => 0);
    if (status === 200) break;
    if (Date.now() > deadline) giveUp(`no healthy answer from ${url}/api/health in ${START_MS} ms`);
    await sleep(50);
  }
  return { url, port, dir, output: run.output, stop };
}
