// Signing in by another service: Better Auth's client, PocketBase's OAuth2 settings, and a provider that the test runs.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createAuthClient as createNewest } from 'better-auth/client';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { cookieClient } from '../lib/betterauth.mjs';
import { openBrowser, startFrontend } from '../lib/browser.mjs';
import { call } from '../lib/http.mjs';
import { startProvider, useProvider } from '../lib/oauth_provider.mjs';
import { newEmail, newUser, PASSWORD, sdk, superuser } from '../lib/people.mjs';
import { freePort, startServer } from '../lib/server.mjs';

let server;
let provider;
let root;
let frontendPort;
let home;
before(async () => {
  frontendPort = await freePort();
  home = `http://localhost:${frontendPort}`;
  [server, provider] = await Promise.all([startServer({ env: { FRONTEND_URL: home } }), startProvider()]);
  root = await superuser(server);
  await useProvider(root, provider);
});
after(async () => {
  await server?.stop();
  await provider?.close();
});

let email;
beforeEach(() => {
  email = newEmail();
  provider.is({ sub: email, email, name: 'Grace' });
});

/** A browser without its window: cookies and nothing else. */
function visitor() {
  const jar = new Map();
  const keep = (answer) => {
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/;\s*Max-Age=0(;|$)/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  const headers = () => (jar.size ? { Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), Origin: home } : {});
  return {
    jar,
    begin: async (fields = {}) => keep(await call(server, 'POST', '/api/auth/sign-in/social', { headers: headers(), body: { provider: 'oidc', callbackURL: '/home', errorCallbackURL: '/oops', ...fields } })),
    back: async (address) => keep(await call(server, 'GET', address.slice(new URL(address).origin.length), { headers: headers() })),
    user: async () => (await call(server, 'GET', '/api/auth/get-session', { headers: headers() })).body?.user ?? null,
  };
}

for (const [version, createAuthClient] of [['newest', createNewest], ['1.4.3', create143]]) {
  test(`client ${version}: signs up, and the next time signs in`, async () => {
    const { client, jar } = cookieClient(createAuthClient, server.url, home);
    const ids = new Set();
    for (const expected of [`${home}/welcome`, `${home}/home`]) {
      const { data, error } = await client.signIn.social({ provider: 'oidc', callbackURL: `${home}/home`, newUserCallbackURL: `${home}/welcome`, disableRedirect: true });
      assert.equal(error, null, JSON.stringify(error));
      assert.equal(data.redirect, false);
      assert.equal(new URL(data.url).origin, provider.url);
      const back = provider.allow(data.url);
      assert.equal(new URL(back).pathname, '/api/auth/callback/oidc');
      const answer = await fetch(back, { redirect: 'manual', headers: { Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') } });
      assert.equal(answer.status, 302);
      assert.equal(answer.headers.get('location'), expected);
      const signed = /better-auth\.session_token=([^;]+)/.exec(answer.headers.getSetCookie().join('\n'))[1];
      const session = await call(server, 'GET', '/api/auth/get-session', { token: decodeURIComponent(signed) });
      assert.equal(session.body.user.email, email);
      assert.equal(session.body.user.name, 'Grace');
      assert.equal(session.body.user.emailVerified, true);
      ids.add(session.body.user.id);
    }
    assert.equal(ids.size, 1);
    const [id] = ids;
    assert.equal((await root.collection('wallets').getFirstListItem(root.filter('subject_id = {:id}', { id }))).balance_tokens, 0);
    assert.equal((await root.collection('sessions').getFullList({ filter: root.filter('user = {:id}', { id }) })).length, 2, 'one session a sign-in');
  });

  test(`client ${version}: an unknown provider and an idToken are refused`, async () => {
    const { client } = cookieClient(createAuthClient, server.url, home);
    const unknown = await client.signIn.social({ provider: 'github' });
    assert.deepEqual([unknown.error?.status, unknown.error?.code], [404, 'PROVIDER_NOT_FOUND']);
    const token = await client.signIn.social({ provider: 'oidc', idToken: { token: 'x' } });
    assert.deepEqual([token.error?.status, token.error?.code], [404, 'ID_TOKEN_NOT_SUPPORTED']);
  });
}

describe('attacks', () => {
  test('login CSRF: the attacker’s link does nothing in the victim’s browser', async () => {
    const attacker = visitor();
    const link = provider.allow((await attacker.begin()).body.url);
    const victim = visitor();
    for (const prepare of [() => {}, () => victim.begin()]) {
      await prepare();
      const answer = await victim.back(link);
      assert.match(answer.headers.get('location'), /\?error=state_mismatch$/);
      assert.equal(await victim.user(), null);
    }
    assert.equal(provider.tokens() > 0 && (await root.collection('users').getList(1, 1, { filter: root.filter('email = {:email}', { email }) })).totalItems, 0);
    const done = await attacker.back(link);
    assert.equal(done.headers.get('location'), '/home', 'in the browser that began it, it works');
  });

  test('a link works once', async () => {
    const browser = visitor();
    const link = provider.allow((await browser.begin()).body.url);
    const kept = new Map(browser.jar);
    assert.equal((await browser.back(link)).headers.get('location'), '/home');
    assert.match((await browser.back(link)).headers.get('location'), /error=state_mismatch/);
    const thief = visitor();
    for (const [name, value] of kept) thief.jar.set(name, value);
    assert.match((await thief.back(link)).headers.get('location'), /^\/oops\?error=invalid_code$/);
    assert.equal(await thief.user(), null);
  });

  test('session fixation: the session from before is not the one after', async () => {
    const mallory = await newUser(server);
    const signed = (await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: mallory.email, password: mallory.password } })).headers.get('set-auth-token');
    const browser = visitor();
    browser.jar.set('better-auth.session_token', encodeURIComponent(signed));
    await browser.back(provider.allow((await browser.begin()).body.url));
    assert.notEqual(decodeURIComponent(browser.jar.get('better-auth.session_token')), signed);
    assert.equal((await browser.user()).email, email);
    assert.equal((await call(server, 'GET', '/api/auth/get-session', { token: mallory.token })).body.user.id, mallory.id);
    const links = await root.collection('_externalAuths').getList(1, 1, { filter: root.filter('recordRef = {:id}', { id: mallory.id }) });
    assert.equal(links.totalItems, 0, 'nobody was linked to whoever was signed in');
  });

  test('open redirect: foreign addresses are refused at the start', async () => {
    for (const evil of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', `${home}.evil.example`, `http://localhost:${frontendPort}@evil.example`]) {
      for (const [field, code] of [['callbackURL', 'INVALID_CALLBACK_URL'], ['errorCallbackURL', 'INVALID_ERROR_CALLBACK_URL'], ['newUserCallbackURL', 'INVALID_NEW_USER_CALLBACK_URL']]) {
        const answer = await visitor().begin({ [field]: evil });
        assert.deepEqual([answer.status, answer.body.code], [403, code], `${field} ${evil}`);
      }
    }
  });

  test('an address that the provider did not verify opens nobody’s account', async () => {
    const victim = await newUser(server);
    provider.is({ sub: 'liar', email: victim.email, email_verified: false });
    const browser = visitor();
    const answer = await browser.back(provider.allow((await browser.begin()).body.url));
    assert.equal(answer.headers.get('location'), '/oops?error=email_not_found');
    assert.equal(await browser.user(), null);
  });

  test('who proves the address takes the account over from who signed up with it', async () => {
    const squatter = await newUser(server);
    provider.is({ sub: 'owner', email: squatter.email });
    const browser = visitor();
    await browser.back(provider.allow((await browser.begin()).body.url));
    assert.equal((await browser.user()).id, squatter.id);
    assert.equal((await call(server, 'GET', '/api/auth/get-session', { token: squatter.token })).body, null);
    assert.equal((await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: squatter.email, password: PASSWORD } })).status, 401);
  });

  test('the provider says no: its error reaches the page, and nothing else of it', async () => {
    const browser = visitor();
    const { url } = (await browser.begin({ errorCallbackURL: `${home}/oops?x=1` })).body;
    const answer = await browser.back(`${server.url}/api/auth/callback/oidc?${new URLSearchParams({ state: new URL(url).searchParams.get('state'), error: 'access_denied', error_description: 'no\r\nSet-Cookie: a=b' })}`);
    assert.equal(answer.headers.get('location'), `${home}/oops?x=1&error=access_denied&error_description=no%20%20Set-Cookie%3A%20a%3Db`);
    assert.equal(browser.jar.has('a'), false);
  });
});

test('PocketBase’s own road beside it finds the same account', async () => {
  const browser = visitor();
  await browser.back(provider.allow((await browser.begin()).body.url));
  const pb = sdk(server);
  const methods = await pb.collection('users').listAuthMethods();
  const [oidc] = methods.oauth2.providers;
  const redirect = `${server.url}/redirect`;
  const back = new URL(provider.allow(oidc.authURL + encodeURIComponent(redirect)));
  const { record } = await pb.collection('users').authWithOAuth2Code('oidc', back.searchParams.get('code'), oidc.codeVerifier, redirect);
  assert.equal(record.id, (await browser.user()).id);
});

test('in Chromium, from a page on another origin, all the way round', async () => {
  const frontend = await startFrontend(frontendPort, `
    import { createAuthClient } from 'better-auth/client';
    window.auth = createAuthClient({ baseURL: 'http://localhost:${server.port}' });
  `);
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(frontend.origin);
    await page.waitForFunction(() => window.auth);
    await page.evaluate((to) => { window.auth.signIn.social({ provider: 'oidc', callbackURL: `${to}/home`, errorCallbackURL: `${to}/oops` }); }, home);
    await page.waitForURL(`${home}/home`);
    await page.waitForFunction(() => window.auth);
    const session = await page.evaluate(() => window.auth.getSession());
    assert.equal(session.data?.user.email, email);
  } finally {
    await browser.close();
    await frontend.close();
  }
});
