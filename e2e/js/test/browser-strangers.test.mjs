// What a page that is not trusted cannot do with its visitor, tried in a real Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { APP, openApp, sessionCookies } from '../lib/app.mjs';
import { openBrowser, startFrontend } from '../lib/browser.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD } from '../lib/people.mjs';
import { freePort, startServer } from '../lib/server.mjs';

let browser, server, frontend, stranger;
before(async () => {
  const [trustedPort, strangerPort] = [await freePort(), await freePort()];
  server = await startServer({ env: { FRONTEND_URL: `http://localhost:${trustedPort}` } });
  frontend = await startFrontend(trustedPort, APP);
  stranger = await startFrontend(strangerPort, APP);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await Promise.all([frontend?.close(), stranger?.close()]);
  await server?.stop();
});

const sameSite = () => `http://localhost:${server.port}`;
const otherSite = () => `http://127.0.0.1:${server.port}`; // to a page on localhost

describe('a page that is not trusted', () => {
  let mallory;
  before(async () => { mallory = await newUser(server); });

  /** Ways to make a visitor's browser sign in, run in the page; each ends when the browser has its answer. */
  const WAYS = {
    'a fetch': (url, fields) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(fields) }).then(() => {}),
    'a form': (url, fields) => {
      const form = Object.assign(document.createElement('form'), { method: 'POST', action: url });
      for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }));
      document.body.append(form);
      form.submit();
    },
    'a form in a frame': (url, fields) => new Promise((resolve) => {
      const frame = Object.assign(document.createElement('iframe'), { name: 'f' });
      document.body.append(frame);
      const form = Object.assign(document.createElement('form'), { method: 'POST', action: url, target: 'f' });
      for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }));
      document.body.append(form);
      frame.onload = () => { if (frame.dataset.sent) resolve(); };
      frame.dataset.sent = 'yes';
      form.submit();
    }),
  };
  for (const [neighbour, api] of [['on the same site', sameSite], ['on another site', otherSite]]) {
    for (const [way, act] of Object.entries(WAYS)) {
      test(`${neighbour} signs no visitor in as somebody else, by ${way}`, async () => {
        const { page, context } = await openApp(browser, 'newest', 'bearer', stranger.origin, api());
        const answered = page.waitForResponse((answer) => answer.url().includes('/api/auth/sign-in/email'));
        const acted = page.evaluate(([source, url, fields]) => new Function(`return (${source})`)()(url, fields), [String(act), `${api()}/api/auth/sign-in/email`, { email: mallory.email, password: PASSWORD }]).catch(() => {}); // a form leaves the page
        const answer = await answered;
        await acted;
        // Chromium may never close a context whose page is still on its way to another.
        if (answer.request().isNavigationRequest() && answer.frame() === page.mainFrame()) await page.waitForURL(answer.url());
        assert.ok([200, 403].includes(answer.status()), String(answer.status()));
        assert.deepEqual(await sessionCookies(context), []);
        await context.close();
      });
    }

    test(`${neighbour} signs no visitor in by a link with a one-time token`, async () => {
      const { token } = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: mallory.token })).body;
      const { page, context } = await openApp(browser, 'newest', 'bearer', stranger.origin, api());
      await Promise.all([
        page.waitForURL(/ott\/verify/),
        page.evaluate((href) => { document.body.append(Object.assign(document.createElement('a'), { href, rel: 'noreferrer', id: 'prize', text: 'x' })); document.querySelector('#prize').click(); }, `${api()}/api/ott/verify?token=${token}&redirect=/`),
      ]);
      assert.deepEqual(await sessionCookies(context), []);
      await context.close();
    });
  }

  test('changes nothing with a visitor’s cookie, and reads nothing', async () => {
    const { context, run } = await openApp(browser, 'newest', 'cookies', frontend.origin, sameSite());
    const email = newEmail();
    await run('signUp.email', { name: 'Ada', email, password: PASSWORD });
    const { page } = await openApp(browser, 'newest', 'bearer', stranger.origin, sameSite(), context);
    const outcomes = await page.evaluate(async (url) => {
      const simple = (path) => fetch(url + path, { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'Content-Type': 'text/plain' }, body: '{"name":"Eve"}' }).then(() => 'sent', () => 'blocked');
      const read = (path, options) => fetch(url + path, { credentials: 'include', ...options }).then((answer) => answer.text(), () => 'blocked');
      return [
        await simple('/api/auth/update-user'), await simple('/api/auth/sign-out'), await simple('/api/auth/delete-user'), await simple('/api/auth/revoke-sessions'),
        await read('/api/auth/get-session'), await read('/api/auth/one-time-token/generate'), await read('/api/user/api-key'),
        await read('/api/auth/update-user', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Eve"}' }),
      ];
    }, sameSite());
    assert.deepEqual(outcomes, ['sent', 'sent', 'sent', 'sent', 'blocked', 'blocked', 'blocked', 'blocked']);
    assert.deepEqual((await run('getSession')).user.name, 'Ada');
    await context.close();
  });
});
