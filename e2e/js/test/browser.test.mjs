// A real browser: the landing page, the dashboard, and web apps on other origins.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser, startFrontend, watchedPage } from '../lib/browser.mjs';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, superuser } from '../lib/people.mjs';
import { freePort, ROOT_EMAIL, ROOT_PASSWORD, startServer } from '../lib/server.mjs';

const CLIENTS = `
  import { createAuthClient } from 'better-auth/client';
  import PocketBase from 'pocketbase';
  Object.assign(window, { createAuthClient, PocketBase });
`;

let browser, server, root, user, frontend, stranger;
before(async () => {
  const [trustedPort, strangerPort] = [await freePort(), await freePort()];
  server = await startServer({ env: { FRONTEND_URL: `http://localhost:${trustedPort}` } });
  root = await superuser(server);
  user = await newUser(server);
  await mint(server, root, user, 1_234);
  frontend = await startFrontend(trustedPort, CLIENTS);
  stranger = await startFrontend(strangerPort, CLIENTS);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await Promise.all([frontend?.close(), stranger?.close()]);
  await server?.stop();
});

describe('the landing page', () => {
  test('opens without an error and links to the dashboard and the docs', async () => {
    const { page, faults } = await watchedPage(browser);
    const answer = await page.goto(`${server.url}/`, { waitUntil: 'networkidle' });
    assert.equal(answer.status(), 200);
    assert.match(await page.title(), /Sokuji/);
    const links = await page.$$eval('a[href]', (anchors) => anchors.map((anchor) => anchor.getAttribute('href')));
    assert.ok(links.some((href) => /^(https?:\/\/[^/]+)?\/_\/?$/.test(href)), `no link to /_/: ${links}`);
    assert.ok(links.some((href) => /docs|readme/i.test(href)), `no link to the docs: ${links}`);
    assert.deepEqual(faults, []);
    await page.close();
  });

  test('its own links lead somewhere', async () => {
    const { page } = await watchedPage(browser);
    await page.goto(`${server.url}/`);
    const own = (await page.$$eval('a[href]', (anchors) => anchors.map((anchor) => anchor.href))).filter((href) => href.startsWith(server.url));
    assert.ok(own.length > 0);
    for (const href of own) assert.equal((await fetch(href)).status, 200, href);
    await page.close();
  });
});

describe('the dashboard', () => {
  let page, faults;
  before(async () => {
    ({ page, faults } = await watchedPage(browser));
    await page.goto(`${server.url}/_/`);
    await page.fill('input[type=email]', ROOT_EMAIL);
    await page.fill('input[type=password]', ROOT_PASSWORD);
    await page.press('input[type=password]', 'Enter');
    await page.waitForURL(/\/_\/#\/(?!login)/);
  });
  after(() => page?.close());

  test('signs a superuser in and shows the wallet and its balance', async () => {
    await page.click('.nav-item[title="wallets"]');
    await page.locator('tr', { hasText: user.id }).filter({ hasText: '1234' }).waitFor();
    assert.deepEqual(faults, []);
  });

  for (const [what, act] of [
    ['delete', (id) => window.app.pb.collection('wallets').delete(id)],
    ['edit', (id) => window.app.pb.collection('wallets').update(id, { balance_tokens: 999999 })],
  ]) {
    test(`its own client may not ${what} a wallet, and is told where the door is`, async () => {
      const wallet = await root.collection('wallets').getFirstListItem(root.filter('subject_id = {:id}', { id: user.id }));
      const refusal = await page.evaluate(
        ([source, id]) => new Function(`return (${source})`)()(id).then(() => null, (error) => ({ status: error.status, message: error.response.message })),
        [String(act), wallet.id],
      );
      assert.ok(refusal, 'the dashboard was allowed to');
      assert.ok(refusal.status >= 400 && refusal.status < 500, JSON.stringify(refusal));
      assert.match(refusal.message, /\/api\/wallet\//);
      assert.deepEqual(await root.collection('wallets').getOne(wallet.id), wallet);
    });
  }
});

describe('a web app on the trusted origin', () => {
  let page, context;
  before(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(frontend.origin);
    await page.waitForFunction(() => window.createAuthClient);
    await page.evaluate((url) => { window.auth = window.createAuthClient({ baseURL: url }); }, `http://localhost:${server.port}`);
  });
  after(() => context?.close());

  test('Better Auth’s client signs up, keeps the session in a cookie over a reload, and signs out', async () => {
    const email = newEmail();
    const up = await page.evaluate((fields) => window.auth.signUp.email(fields), { name: 'Ada', email, password: PASSWORD });
    assert.equal(up.error, null, JSON.stringify(up.error));
    const [cookie] = (await context.cookies()).filter(({ name }) => name === 'better-auth.session_token');
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, 'Lax', '/']);

    await page.reload();
    await page.waitForFunction(() => window.createAuthClient);
    await page.evaluate((url) => { window.auth = window.createAuthClient({ baseURL: url }); }, `http://localhost:${server.port}`);
    const session = await page.evaluate(() => window.auth.getSession());
    assert.equal(session.data?.user.email, email);
    const balance = await page.evaluate((url) => fetch(`${url}/api/wallet/balance`, { credentials: 'include' }).then((answer) => answer.json()), `http://localhost:${server.port}`);
    assert.equal(balance.balance, 0);

    const out = await page.evaluate(() => window.auth.signOut());
    assert.deepEqual(out.data, { success: true });
    assert.equal((await page.evaluate(() => window.auth.getSession())).data, null);
    assert.deepEqual((await context.cookies()).filter(({ name }) => name === 'better-auth.session_token'), []);
    assert.equal((await call(server, 'GET', '/api/auth/get-session', { token: up.data.token })).body, null);
  });

  test('a script reads set-auth-token and goes on with it as a bearer token', async () => {
    const email = newEmail();
    const seen = await page.evaluate(async ([url, fields]) => {
      let token = '';
      const auth = window.createAuthClient({
        baseURL: url,
        fetchOptions: { credentials: 'omit', auth: { type: 'Bearer', token: () => token }, onSuccess: ({ response }) => { token = response.headers.get('set-auth-token') ?? token; } },
      });
      await auth.signUp.email(fields);
      return { token, session: await auth.getSession() };
    }, [`http://localhost:${server.port}`, { name: 'Ada', email, password: PASSWORD }]);
    assert.match(seen.token, /^[A-Za-z0-9]{32}\./);
    assert.equal(seen.session.data?.user.email, email);
  });
});

describe('a web app on a strange origin', () => {
  let page;
  before(async () => {
    page = await browser.newPage();
    await page.goto(stranger.origin);
    await page.waitForFunction(() => window.PocketBase);
  });
  after(() => page?.close());

  test('is not let in with cookies', async () => {
    const outcome = await page.evaluate((url) => fetch(`${url}/api/auth/get-session`, { credentials: 'include' }).then(() => 'read', () => 'blocked'), `http://localhost:${server.port}`);
    assert.equal(outcome, 'blocked');
  });

  test('uses the PocketBase SDK with a token, realtime included', async () => {
    await page.evaluate(async ([url, email, password]) => {
      const pb = window.pb = new window.PocketBase(url);
      await pb.collection('users').authWithPassword(email, password);
      window.events = [];
      await pb.collection('wallets').subscribe('*', ({ action, record }) => window.events.push([action, record.balance_tokens]));
    }, [`http://localhost:${server.port}`, user.email, user.password]);
    const wallets = await page.evaluate(() => window.pb.collection('wallets').getFullList());
    assert.deepEqual(wallets.map((wallet) => wallet.subject_id), [user.id]);
    await mint(server, root, user, 1);
    await page.waitForFunction(() => window.events.length > 0, null, { timeout: 5_000 });
    assert.deepEqual(await page.evaluate(() => window.events[0]), ['update', 1_235]);
  });
});
