// One-time tokens, with Better Auth's own client and its oneTimeTokenClient plugin, and the link that turns one into a cookie.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAuthClient as createNewest } from 'better-auth/client';
import { oneTimeTokenClient as ottNewest } from 'better-auth/client/plugins';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { oneTimeTokenClient as ott143 } from 'better-auth-1.4.3/client/plugins';
import { openBrowser, startFrontend } from '../lib/browser.mjs';
import { mailedCode } from '../lib/codes.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD, sdkFor, superuser } from '../lib/people.mjs';
import { freePort, startServer } from '../lib/server.mjs';
import { startSMTP, useSMTP } from '../lib/smtp.mjs';

let server;
let frontendPort;
before(async () => {
  frontendPort = await freePort();
  server = await startServer({ env: { FRONTEND_URL: `http://localhost:${frontendPort}` } });
});
after(() => server?.stop());

function ok({ data, error }) {
  assert.equal(error, null, JSON.stringify(error));
  return data;
}

const clientOf = (createAuthClient, plugin, token = '') => createAuthClient({
  baseURL: server.url,
  plugins: [plugin()],
  fetchOptions: { auth: { type: 'Bearer', token: () => token } },
});

for (const [version, createAuthClient, plugin] of [['newest', createNewest, ottNewest], ['1.4.3', create143, ott143]]) {
  describe(`Better Auth client ${version}`, () => {
    test('a token opens the session it came from, once', async () => {
      const user = await newUser(server);
      const client = clientOf(createAuthClient, plugin, user.token);
      const { token } = ok(await client.oneTimeToken.generate());
      assert.match(token, /^[A-Za-z0-9]{32}$/);
      const elsewhere = clientOf(createAuthClient, plugin);
      const opened = ok(await elsewhere.oneTimeToken.verify({ token }));
      assert.deepEqual(opened, ok(await client.getSession()));
      assert.equal(opened.session.token, user.token);
      const again = await elsewhere.oneTimeToken.verify({ token });
      assert.deepEqual([again.error?.status, again.error?.message], [400, 'Invalid token']);
    });

    test('without a session there is none', async () => {
      assert.equal((await clientOf(createAuthClient, plugin).oneTimeToken.generate()).error?.status, 401);
    });

    test('it ends with its session', async () => {
      const user = await newUser(server);
      const client = clientOf(createAuthClient, plugin, user.token);
      const { token } = ok(await client.oneTimeToken.generate());
      ok(await client.signOut());
      const late = await clientOf(createAuthClient, plugin).oneTimeToken.verify({ token });
      assert.deepEqual([late.error?.status, late.error?.message], [400, 'Session not found']);
    });
  });
}

describe('the link', () => {
  const generate = async (token) => (await call(server, 'GET', '/api/auth/one-time-token/generate', { token })).body.token;
  const follow = (token, redirect, headers) => call(server, 'GET', `/api/ott/verify?${new URLSearchParams({ token, redirect })}`, { headers });

  test('of 50 at once, one gets the cookie', async () => {
    const user = await newUser(server);
    const token = await generate(user.token);
    const answers = await Promise.all(Array.from({ length: 50 }, () => follow(token, '/home')));
    const won = answers.filter(({ headers }) => headers.get('location') === '/home');
    assert.equal(won.length, 1);
    assert.match(won[0].headers.get('set-cookie'), /^better-auth\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal(won[0].headers.get('referrer-policy'), 'no-referrer');
    assert.equal(won[0].headers.get('cache-control'), 'no-store');
    for (const lost of answers.filter((answer) => answer !== won[0])) {
      assert.equal(lost.headers.get('location'), '/home?error=invalid_token');
      assert.equal(lost.headers.get('set-cookie'), null);
    }
  });

  test('leads to trusted origins only, and a wrong one does not spend it', async () => {
    const user = await newUser(server);
    const token = await generate(user.token);
    for (const redirect of ['https://evil.example', '//evil.example', '/\\evil.example', 'https:evil.example', `http://localhost:${frontendPort}@evil.example`, `http://localhost:${frontendPort}.evil.example`, 'javascript:alert(1)', '/%5cevil.example', '/\t/evil.example']) {
      const answer = await follow(token, redirect);
      assert.equal(answer.status, 403, redirect);
      assert.equal(answer.headers.get('location'), null);
      assert.equal(answer.headers.get('set-cookie'), null);
    }
    assert.equal((await follow(token, `http://localhost:${frontendPort}/x`)).headers.get('location'), `http://localhost:${frontendPort}/x`);
  });

  test('no log keeps the token', async () => {
    const user = await newUser(server);
    const token = await generate(user.token);
    await follow(token, '/home');
    const root = await superuser(server);
    for (let i = 0; i < 40; i++) { // the log is written every three seconds
      const logs = await root.logs.getList(1, 500);
      const text = JSON.stringify(logs.items);
      assert.ok(!text.includes(token));
      if (text.includes('/api/ott/verify')) return;
      await new Promise((resolve) => { setTimeout(resolve, 250); });
    }
    assert.fail('the request is not in the log at all');
  });

  test("a PocketBase token, a key and a superuser's token get none", async () => {
    const user = await newUser(server);
    const pb = await sdkFor(server, user);
    const root = await superuser(server);
    for (const token of [pb.authStore.token, root.authStore.token, 'sk-sokuji-0000']) {
      assert.equal((await call(server, 'GET', '/api/auth/one-time-token/generate', { token })).status, 401);
    }
  });
});

describe('in Chromium', () => {
  let browser;
  let frontend;
  let smtp;
  before(async () => {
    smtp = await startSMTP();
    await useSMTP(await superuser(server), smtp);
    frontend = await startFrontend(frontendPort, `
      import { createAuthClient as newest } from 'better-auth/client';
      import { emailOTPClient, oneTimeTokenClient } from 'better-auth/client/plugins';
      import { createAuthClient as seeds } from 'better-auth-1.4.3/client';
      import { emailOTPClient as seedsOTP, oneTimeTokenClient as seedsOTT } from 'better-auth-1.4.3/client/plugins';
      window.clients = {
        newest: (baseURL) => newest({ baseURL, plugins: [emailOTPClient(), oneTimeTokenClient()] }),
        '1.4.3': (baseURL) => seeds({ baseURL, plugins: [seedsOTP(), seedsOTT()] }),
      };
    `);
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await frontend?.close();
    await smtp?.close();
  });

  for (const version of ['newest', '1.4.3']) {
    test(`client ${version}: what the Sokuji app calls, on another origin, with cookies`, async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const api = `http://localhost:${server.port}`;
      await page.goto(frontend.origin);
      await page.waitForFunction(() => window.clients);
      await page.evaluate(([name, url]) => { window.auth = window.clients[name](url); }, [version, api]);
      const run = async (path, ...fields) => {
        const answer = await page.evaluate(([steps, rest]) => steps.split('.').reduce((value, step) => value[step], window.auth)(...rest), [path, fields]);
        assert.equal(answer.error, null, `${path}: ${JSON.stringify(answer.error)}`);
        return answer.data;
      };
      const email = newEmail();
      await run('signUp.email', { name: 'Ada', email, password: PASSWORD });
      const session = await page.evaluate(() => new Promise((resolve) => {
        window.auth.useSession.subscribe(({ data }) => { if (data) resolve(data); });
      }));
      assert.equal(session.user.email, email);
      await run('signOut');
      assert.equal(await run('getSession'), null);
      await run('signIn.email', { email, password: PASSWORD });
      await run('sendVerificationEmail', { email });
      assert.deepEqual(await run('emailOtp.sendVerificationOtp', { email, type: 'forget-password' }), { success: true });
      const mail = await smtp.waitForMail(email, { subject: /OTP/ });
      await run('emailOtp.resetPassword', { email, otp: /\b\d{6}\b/.exec(mail.text)[0], password: 'new-password-123' });
      await run('signIn.email', { email, password: 'new-password-123' });
      const { token } = await run('oneTimeToken.generate');

      const other = await browser.newContext();
      const link = await other.newPage();
      await link.goto(`${api}/api/ott/verify?${new URLSearchParams({ token, redirect: `${frontend.origin}/home` })}`);
      assert.equal(link.url(), `${frontend.origin}/home`);
      assert.equal(await link.evaluate(() => document.referrer), '', 'the address with the token goes nowhere');
      await link.waitForFunction(() => window.clients);
      const there = await link.evaluate(([name, url]) => window.clients[name](url).getSession(), [version, api]);
      assert.equal(there.data?.user.email, email);
      await Promise.all([context.close(), other.close()]);
    });
  }

  test('a page of another site does not sign its visitor in as somebody else', async () => {
    const attacker = await newUser(server);
    const { token } = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: attacker.token })).body;
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('http://evil.test/', (route) => route.fulfill({ contentType: 'text/html', body: `<a id="a" rel="noreferrer" href="http://localhost:${server.port}/api/ott/verify?token=${token}&redirect=/">a prize</a>` }));
    await page.goto('http://evil.test/');
    await page.click('#a');
    await page.waitForURL(/ott\/verify/);
    assert.deepEqual((await context.cookies()).filter(({ name }) => name.includes('session_token')), []);
    await context.close();
  });
});

test('a code is no one-time token, and the other way round', async () => {
  const smtp = await startSMTP();
  try {
    await useSMTP(await superuser(server), smtp);
    const user = await newUser(server);
    const otp = await mailedCode(server, smtp, user.email, 'sign-in');
    const token = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: user.token })).body.token;
    assert.equal((await call(server, 'POST', '/api/auth/one-time-token/verify', { body: { token: otp } })).body.code, 'INVALID_TOKEN');
    assert.equal((await call(server, 'POST', '/api/auth/sign-in/email-otp', { body: { email: user.email, otp: token } })).body.code, 'INVALID_OTP');
    assert.equal((await call(server, 'GET', '/api/auth/get-session', { token })).body, null);
  } finally {
    await smtp.close();
  }
});
