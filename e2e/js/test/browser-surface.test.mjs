// What the Sokuji app calls of Better Auth's client, inside a real Chromium page: with cookies and with a bearer token,
// on a trusted origin, on a strange one and on another site.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, openApp, sessionCookies } from '../lib/app.mjs';
import { openBrowser, startFrontend } from '../lib/browser.mjs';
import { codeIn } from '../lib/codes.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, PASSWORD, superuser } from '../lib/people.mjs';
import { freePort, startServer } from '../lib/server.mjs';
import { startSMTP, useSMTP } from '../lib/smtp.mjs';

const NEW_PASSWORD = 'another-horse-battery';

let browser, server, smtp, frontend, stranger;
before(async () => {
  const [trustedPort, strangerPort] = [await freePort(), await freePort()];
  [server, smtp] = await Promise.all([startServer({ env: { FRONTEND_URL: `http://localhost:${trustedPort}` } }), startSMTP()]);
  const root = await superuser(server);
  await useSMTP(root, smtp);
  await root.settings.update({ meta: { appURL: `http://localhost:${server.port}` } });
  frontend = await startFrontend(trustedPort, APP);
  stranger = await startFrontend(strangerPort, APP);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await Promise.all([frontend?.close(), stranger?.close(), smtp?.close()]);
  await server?.stop();
});

const sameSite = () => `http://localhost:${server.port}`;
const otherSite = () => `http://127.0.0.1:${server.port}`; // to a page on localhost

for (const version of ['newest', '1.4.3']) {
  for (const [where, way, origin, api] of [
    ['on a trusted origin, with cookies', 'cookies', () => frontend.origin, sameSite],
    ['on a strange origin, with a bearer token', 'bearer', () => stranger.origin, sameSite],
    ['on a trusted origin of another site, with a bearer token', 'bearer', () => frontend.origin, otherSite],
  ]) {
    test(`client ${version} ${where}: all that the Sokuji app calls`, async () => {
      const app = await openApp(browser, version, way, origin(), api());
      const { run, failed, shows, context } = app;
      const email = newEmail();
      await shows(null);

      assert.equal((await run('signUp.email', { name: 'Ada', email, password: PASSWORD })).user.email, email);
      await shows(email);
      assert.equal((await run('getSession')).user.emailVerified, false);
      assert.equal((await sessionCookies(context)).length, way === 'cookies' ? 1 : 0);
      await app.reload();
      await shows(email);

      const trusted = origin() === frontend.origin;
      await run('sendVerificationEmail', { email, ...(trusted ? { callbackURL: `${origin()}/verified` } : {}) });
      const mail = await smtp.waitForMail(email, { subject: /verify/i });
      const tab = await context.newPage();
      await tab.goto(mail.links[0]);
      assert.equal(tab.url(), trusted ? `${origin()}/verified` : `${sameSite()}/`);
      await tab.close();
      assert.equal((await run('getSession')).user.emailVerified, true);

      const { token } = await run('oneTimeToken.generate');
      const other = await browser.newContext();
      const link = await other.newPage();
      await link.goto(`${sameSite()}/api/ott/verify?${new URLSearchParams({ token, redirect: `${frontend.origin}/home` })}`);
      assert.equal(link.url(), `${frontend.origin}/home`);
      assert.equal((await sessionCookies(other)).length, 1);
      await other.close();

      assert.deepEqual(await run('signOut'), { success: true });
      await shows(null);
      assert.equal(await run('getSession'), null);
      assert.deepEqual(await sessionCookies(context), []);

      assert.deepEqual(await failed('signIn.email', { email, password: 'wrong-password' }), [401, 'INVALID_EMAIL_OR_PASSWORD']);
      await run('signIn.email', { email, password: PASSWORD });
      await shows(email);

      const mailsBefore = smtp.mails().filter(({ to }) => to.includes(email)).length;
      assert.deepEqual(await run('emailOtp.sendVerificationOtp', { email, type: 'forget-password' }), { success: true });
      const otp = await codeIn(smtp, email, mailsBefore);
      assert.deepEqual(await failed('emailOtp.resetPassword', { email, otp: 'x', password: NEW_PASSWORD }), [400, 'INVALID_OTP']);
      assert.deepEqual(await run('emailOtp.resetPassword', { email, otp, password: NEW_PASSWORD }), { success: true });
      assert.equal(await run('getSession'), null, 'the reset ended the session');
      assert.deepEqual(await failed('signIn.email', { email, password: PASSWORD }), [401, 'INVALID_EMAIL_OR_PASSWORD']);
      await run('signIn.email', { email, password: NEW_PASSWORD });
      await shows(email);
      await context.close();
    });
  }
}

test('a page on another origin reads how long it must wait', async () => {
  const strict = await startServer({ env: { AUTH_RATE_LIMIT: '1', FRONTEND_URL: frontend.origin } });
  try {
    for (const origin of [frontend.origin, stranger.origin]) {
      const { page, context } = await openApp(browser, 'newest', 'bearer', origin, `http://localhost:${strict.port}`);
      const [status, wait] = await page.evaluate(async (url) => {
        const attempt = () => fetch(`${url}/api/auth/sign-in/email`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"email":"a@example.com","password":"wrong-password"}' });
        await attempt();
        const answer = await attempt();
        return [answer.status, answer.headers.get('x-retry-after')];
      }, `http://localhost:${strict.port}`);
      assert.equal(status, 429);
      assert.match(wait ?? '', /^\d+$/);
      await context.close();
    }
  } finally {
    await strict.stop();
  }
});
