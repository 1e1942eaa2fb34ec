// A wrong setting stops the server before it starts, in words; what it prints is never a secret.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { call } from '../lib/http.mjs';
import { newUser, superuser } from '../lib/people.mjs';
import { freePort, ROOT_PASSWORD, runToEnd, SECRET, settings, startServer, tempDir } from '../lib/server.mjs';

/** Starts the server with these settings and expects it to end by itself, with an error. */
async function refusedStart(env, dir = tempDir()) {
  try {
    const run = await runToEnd(['serve', '--http', `127.0.0.1:${await freePort()}`, '--dir', dir], settings(env));
    assert.notEqual(run.code, 0, run.output);
    return run.output;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe('a wrong setting', () => {
  for (const [name, value] of [
    ['FRONTEND_URL', '*'],
    ['FRONTEND_URL', 'http://*.example.com'],
    ['FRONTEND_URL', 'not a url'],
    ['AUTH_RATE_LIMIT', 'abc'],
    ['AUTH_RATE_LIMIT', '-1'],
    ['SUPERUSER_EMAIL', 'not-an-address'],
  ]) {
    test(`${name}=${value} is refused by name`, async () => {
      const output = await refusedStart({ [name]: value });
      const line = output.split('\n').find((text) => text.includes(name));
      assert.ok(line, `no line names ${name}:\n${output}`);
      assert.match(line, /\w+ \w+ \w+/, 'a sentence, not a bare name');
      assert.doesNotMatch(output, /goroutine \d+ \[/, 'a sentence, not a stack');
    });
  }

  for (const name of ['SOKUJI_SECRET', 'BETTER_AUTH_SECRET']) {
    test(`a short ${name} is refused by name, and not echoed`, async () => {
      const short = 'tooshort-9f3a';
      const output = await refusedStart({ SOKUJI_SECRET: undefined, [name]: short });
      assert.match(output, new RegExp(`${name}.*\\w+ \\w+`));
      assert.ok(!output.includes(short), output);
    });
  }

  test('a short SUPERUSER_PASSWORD is refused by name, and not echoed', async () => {
    const short = 'pw-9f3a';
    const output = await refusedStart({ SUPERUSER_PASSWORD: short });
    assert.match(output, /SUPERUSER_PASSWORD/);
    assert.ok(!output.includes(short), output);
  });
});

describe('one writer', () => {
  test('a second serve on the same data folder is refused, and the first goes on', async () => {
    const first = await startServer();
    try {
      const second = await runToEnd(['serve', '--http', `127.0.0.1:${await freePort()}`, '--dir', first.dir], settings());
      assert.notEqual(second.code, 0, second.output);
      assert.match(second.output, /already|in use|locked|another/i);
      assert.equal((await call(first, 'GET', '/api/health')).status, 200);
      await newUser(first);
    } finally {
      await first.stop();
    }
  });

  test('after a stop the same folder serves again, with everything in it', async () => {
    const dir = tempDir();
    try {
      let server = await startServer({ dir });
      const user = await newUser(server);
      await server.stop();
      server = await startServer({ dir });
      try {
        const session = await call(server, 'GET', '/api/auth/get-session', { token: user.token });
        assert.equal(session.body.user.id, user.id);
      } finally {
        await server.stop();
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test('without SOKUJI_SECRET one is made, kept, and not printed', async () => {
    const dir = tempDir();
    try {
      let server = await startServer({ dir, env: { SOKUJI_SECRET: undefined } });
      const cookie = (await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email: 'ada@example.com', password: 'correct-horse' } }))
        .headers.getSetCookie()[0].split(';')[0];
      await server.stop();
      server = await startServer({ dir, env: { SOKUJI_SECRET: undefined } });
      try {
        const session = await call(server, 'GET', '/api/auth/get-session', { headers: { Cookie: cookie } });
        assert.equal(session.body.user.email, 'ada@example.com', 'the cookie signed before the restart still counts');
      } finally {
        await server.stop();
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('what a start prints', () => {
  test('without a superuser: the command that makes one, and no installer link', async () => {
    const server = await startServer({ env: { SUPERUSER_EMAIL: undefined, SUPERUSER_PASSWORD: undefined } });
    await server.stop();
    assert.match(server.output(), /superuser upsert/);
    assert.doesNotMatch(server.output(), /\/_\/#\/pbinstal/);
    assert.doesNotMatch(server.output(), /eyJ[\w-]+\.[\w-]+\.[\w-]+/, 'no token');
  });

  test('with one: neither the secret, nor a password, nor a token', async () => {
    const server = await startServer();
    const root = await superuser(server);
    const user = await newUser(server);
    await call(server, 'GET', '/api/wallet/balance', { token: user.token });
    await server.stop();
    assert.doesNotMatch(server.output(), /superuser upsert/);
    for (const secret of [SECRET, ROOT_PASSWORD, user.token, user.password, root.authStore.token]) {
      assert.ok(!server.output().includes(secret), `the output has ${secret}:\n${server.output()}`);
    }
  });

  test('SUPERUSER_EMAIL and SUPERUSER_PASSWORD make the superuser, once and again', async () => {
    const dir = tempDir();
    try {
      for (let start = 0; start < 2; start++) {
        const server = await startServer({ dir });
        try {
          const root = await superuser(server);
          assert.equal((await root.collection('_superusers').getList(1, 10)).totalItems, 1);
        } finally {
          await server.stop();
        }
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
