// Attacks on who is signed in: sessions, cookies, tokens in addresses, redirects, credentials in the wrong place.
// What a route of one concern alone can show stands in that concern's test; docs/security.md lists them all.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startAccounts } from '../lib/accounts.mjs';
import { authRoutesOfTheServer, browserSession, ELSEWHERE, OPEN_ROUTES, rawRequest, sessionCookie, SIGNED_IN_ROUTES, standingOf, STRANGERS } from '../lib/attacks.mjs';
import { mailedCode } from '../lib/codes.mjs';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, sdkFor } from '../lib/people.mjs';
import { FRONTEND, ROOT_EMAIL, ROOT_PASSWORD, SECRET } from '../lib/server.mjs';

let house, server, smtp, root, signsIn, alive;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root, signsIn, alive } = house);
});
after(() => house?.stop());

const post = (path, body, headers) => call(server, 'POST', path, { body, headers });
const sessionOf = async (headers) => (await call(server, 'GET', '/api/auth/get-session', { headers })).body;
const signed = (token, secret = SECRET) => encodeURIComponent(`${token}.${createHmac('sha256', secret).update(token).digest('base64')}`);

const standing = (user) => standingOf(root, user);

test('every route of Better Auth is in one of the lists of these tests', () => {
  const listed = [...SIGNED_IN_ROUTES, ...OPEN_ROUTES].map(([method, path]) => `${method} ${path}`).sort();
  assert.deepEqual(listed, authRoutesOfTheServer().sort());
});

describe('session fixation', () => {
  /** Every road that opens a session by Better Auth's wire, for a user and a browser that has these cookies. */
  const roads = {
    'sign-in/email': (user, headers) => post('/api/auth/sign-in/email', { email: user.email, password: PASSWORD }, headers),
    'sign-up/email': (_, headers) => post('/api/auth/sign-up/email', { name: 'Ada', email: newEmail(), password: PASSWORD }, headers),
    'sign-in/email-otp': async (user, headers) => post('/api/auth/sign-in/email-otp', { email: user.email, otp: await mailedCode(server, smtp, user.email, 'sign-in') }, headers),
  };

  for (const [road, open] of Object.entries(roads)) {
    test(`${road}: a session that was planted before is not the one after`, async () => {
      const [mallory, victim] = [await newUser(server), await newUser(server)];
      const planted = await browserSession(server, mallory);
      const chosen = 'A'.repeat(32);
      for (const cookie of [
        planted.cookie, `better-auth.session_token=${chosen}`, `better-auth.session_token=${signed(chosen)}`, `better-auth.session_token=${signed(chosen, 'x')}`,
        `${planted.cookie}; better-auth.session_token=${signed(chosen)}`, `__Secure-${planted.cookie}; better-auth.session_data=e30`,
      ]) {
        const answer = await open(victim, { Cookie: cookie, Origin: FRONTEND });
        assert.equal(answer.status, 200, answer.text);
        const fresh = sessionCookie(answer);
        assert.match(fresh, /^better-auth\.session_token=[A-Za-z0-9]{32}\./);
        assert.ok(![planted.token, chosen].includes(answer.body.token), 'the token is a new one');
        assert.equal((await sessionOf({ Cookie: fresh })).user.id, answer.body.user.id);
      }
      assert.equal(await alive(chosen), false, 'a token that somebody made up opens nothing');
      assert.equal((await sessionOf({ Cookie: planted.cookie })).user.id, mallory.id, 'the planted one is still the attacker’s own');
    });
  }

  test('a sign-in takes no token from its body, its address or its bearer header', async () => {
    const [mallory, victim] = [await newUser(server), await newUser(server)];
    const wish = { token: mallory.token, sessionToken: mallory.token, sid: 'x', id: mallory.id, userId: mallory.id };
    const answer = await call(server, 'POST', `/api/auth/sign-in/email?${new URLSearchParams(wish)}`, { token: mallory.token, body: { ...wish, email: victim.email, password: PASSWORD } });
    assert.equal(answer.body.user.id, victim.id);
    assert.notEqual(answer.body.token, mallory.token);
    const pb = await call(server, 'POST', '/api/collections/users/auth-with-password', { token: mallory.token, body: { ...wish, identity: victim.email, password: PASSWORD } });
    assert.equal(pb.body.record.id, victim.id);
    assert.equal((await sessionOf({ Authorization: `Bearer ${mallory.token}` })).user.id, mallory.id);
  });
});

describe('a cookie from another origin', () => {
  const UNSAFE = [
    ...SIGNED_IN_ROUTES.filter(([method]) => method === 'POST'),
    ['POST', '/api/auth/sign-out', {}],
    ['PATCH', '/api/user/profile', { firstName: 'Eve' }],
    ['POST', '/api/user/api-key/rotate', {}],
    ['POST', '/api/user/api-keys', { name: 'eve' }],
    ['PATCH', '/api/user/api-keys/any', { disabled: true }],
    ['DELETE', '/api/user/api-keys/any'],
    ['POST', '/api/user/api-keys/any/rotate', {}],
    ['POST', '/api/wallet/mint', { amount: 5 }],
    ['POST', '/api/wallet/use', { amount: 5 }],
    ['POST', '/api/collections/users/records', { email: 'x@example.com' }],
    ['POST', '/api/collections/users/request-email-change', { newEmail: 'eve@example.com' }],
    ['POST', '/api/batch', { requests: [] }],
    ['POST', '/api/files/token', {}],
  ];
  const own = (user) => [['PATCH', `/api/collections/users/records/${user.id}`, { name: 'Eve' }], ['DELETE', `/api/collections/users/records/${user.id}`]];

  test('changes nothing, on no route, from no strange origin', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 10);
    await call(server, 'GET', '/api/user/api-key', { token: user.token });
    const { cookie } = await browserSession(server, user);
    const before = await standing(user);
    for (const stranger of STRANGERS) {
      for (const [method, path, body] of [...UNSAFE, ...own(user)]) {
        const answer = await call(server, method, path, { headers: { Cookie: cookie, ...stranger }, body });
        assert.equal(answer.status, 403, `${method} ${path} from ${JSON.stringify(stranger)}: ${answer.text}`);
        assert.equal(sessionCookie(answer), undefined);
      }
    }
    assert.equal(await standing(user), before);
  });

  test('nor with a body that a form can send, nor by a method that a header names', async () => {
    const user = await newUser(server);
    const { cookie } = await browserSession(server, user);
    const before = await standing(user);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      for (const [method, path, body] of SIGNED_IN_ROUTES.filter(([way]) => way === 'POST')) {
        const sent = type.includes('urlencoded') ? new URLSearchParams(body).toString() : JSON.stringify(body);
        const answer = await call(server, method, path, { headers: { Cookie: cookie, Origin: 'https://evil.example', 'Content-Type': type }, body: sent });
        assert.equal(answer.status, 403, `${path} as ${type}`);
      }
    }
    for (const header of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const answer = await call(server, 'GET', '/api/auth/delete-user?_method=POST', { headers: { Cookie: cookie, Origin: 'https://evil.example', [header]: 'POST' } });
      assert.equal(answer.status, 404, header);
    }
    assert.equal(await standing(user), before);
  });

  test('opens no WebSocket', async () => {
    const { cookie } = await browserSession(server, await newUser(server));
    const answer = await rawRequest(server, 'GET', '/api/wallet/balance', { Cookie: cookie, Origin: 'https://evil.example', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' });
    assert.equal(answer.status, 403);
  });
});

describe('a token in an address', () => {
  const NAMES = ['token', 'access_token', 'accessToken', 'auth', 'authorization', 'Authorization', 'bearer', 'jwt', 'session', 'session_token', 'better-auth.session_token', 'sid', 'api_key', 'apiKey', 'key', 'x-api-key'];

  test('opens nothing, whatever it is and whatever it is called', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 10);
    const { cookie } = await browserSession(server, user);
    const pocketBase = await sdkFor(server, user);
    const { apiKey } = (await call(server, 'GET', '/api/user/api-key', { token: user.token })).body;
    const before = await standing(user);
    for (const token of [user.token, decodeURIComponent(cookie.split('=')[1]), pocketBase.authStore.token, root.authStore.token, apiKey]) {
      const query = new URLSearchParams(NAMES.map((name) => [name, token]));
      for (const [method, path, body] of [...SIGNED_IN_ROUTES, ['GET', '/api/user/profile'], ['GET', '/api/user/api-key'], ['GET', '/api/wallet/balance'], ['POST', '/api/wallet/mint', { userId: user.id, amount: 1 }], ['GET', '/api/settings'], ['GET', '/api/logs'], ['GET', '/api/collections/_superusers/records']]) {
        const answer = await call(server, method, `${path}?${query}`, { body });
        assert.ok([401, 403].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      }
      assert.equal((await call(server, 'GET', `/api/auth/get-session?${query}`)).body, null);
      assert.equal((await call(server, 'GET', `/api/collections/wallets/records?${query}`)).body.totalItems, 0);
      const basic = { Authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}` };
      assert.equal((await call(server, 'GET', '/api/wallet/balance', { headers: basic })).status, 401, 'http://token@host/');
    }
    assert.equal(await standing(user), before);
  });

  test('the one exception is ott/verify, and it takes one-time tokens alone, by GET alone', async () => {
    const user = await newUser(server);
    const { cookie } = await browserSession(server, user);
    const pocketBase = await sdkFor(server, user);
    const link = (token) => `/api/ott/verify?${new URLSearchParams({ token, redirect: '/home' })}`;
    for (const token of [user.token, decodeURIComponent(cookie.split('=')[1]), pocketBase.authStore.token, root.authStore.token, '', 'x'.repeat(32), "' OR 1=1 --"]) {
      const answer = await call(server, 'GET', link(token));
      assert.deepEqual([answer.headers.get('location'), sessionCookie(answer)], ['/home?error=invalid_token', undefined]);
    }
    const { token } = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: user.token })).body;
    assert.notEqual((await call(server, 'POST', `/api/auth/one-time-token/verify?token=${token}`, { body: {} })).status, 200);
    for (const method of ['HEAD', 'POST']) assert.equal(sessionCookie(await call(server, method, link(token))), undefined, method);
    const used = await call(server, 'GET', link(token));
    assert.equal((await sessionOf({ Cookie: sessionCookie(used) })).user.id, user.id, 'nothing of that spent it');
    assert.equal(sessionCookie(await call(server, 'GET', link(token))), undefined, 'twice');
  });
});

describe('login CSRF', () => {
  async function attempts() {
    const mallory = await newUser(server);
    const otp = await mailedCode(server, smtp, mallory.email, 'sign-in');
    const { token } = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: mallory.token })).body;
    return [
      ['/api/auth/sign-in/email', { email: mallory.email, password: PASSWORD }],
      ['/api/auth/sign-up/email', { name: 'Eve', email: newEmail(), password: PASSWORD }],
      ['/api/auth/sign-up', { name: 'Eve', email: newEmail(), password: PASSWORD }],
      ['/api/auth/one-time-token/verify', { token }],
      ['/api/auth/sign-in/email-otp', { email: mallory.email, otp }], // last: it ends the sessions of an address that was not proven
    ];
  }

  // fetch says "cors" of itself, whatever it is told: hence raw requests.
  test('another site’s form that navigates the browser here is refused', async () => {
    for (const [path, body] of await attempts()) {
      for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
        const sent = type.includes('urlencoded') ? new URLSearchParams(body).toString() : JSON.stringify(body);
        const headers = { 'Content-Type': type, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
        const { status, text, cookies } = await rawRequest(server, 'POST', path, headers, sent);
        assert.deepEqual([status, JSON.parse(text).code, cookies], [403, 'CROSS_SITE_NAVIGATION_LOGIN_BLOCKED', []], `${path} ${type}`);
      }
    }
  });

  // A browser keeps the cookie of these: they come from the same site, or from a browser that says nothing of sites.
  for (const [who, headers] of [
    ['a neighbour’s fetch', { Origin: 'http://localhost:51730', 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }],
    ['a neighbour’s form', { Origin: 'http://localhost:51730', 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate' }],
    ['a form in an old browser', { Origin: 'https://evil.example' }],
    ['a form without an origin', { Origin: 'null' }],
  ]) {
    test(`${who} signs nobody’s browser in`, async () => {
      for (const [path, body] of await attempts()) {
        const { status, cookies } = await rawRequest(server, 'POST', path, { 'Content-Type': 'application/json', ...headers }, JSON.stringify({ rememberMe: false, ...body }));
        assert.equal(status, 200, path);
        assert.deepEqual(cookies, [], path);
      }
    });
  }

  test('a client on a strange origin still signs in, and carries its token itself', async () => {
    const user = await newUser(server);
    for (const Origin of ['https://app.example', 'chrome-extension://abcdefghijklmnop', 'file://', 'null']) {
      const answer = await post('/api/auth/sign-in/email', { email: user.email, password: PASSWORD }, { Origin });
      assert.equal(answer.status, 200, answer.text);
      const token = answer.headers.get('set-auth-token');
      assert.equal((await call(server, 'GET', '/api/auth/get-session', { token, headers: { Origin } })).body.user.id, user.id);
    }
  });

  test('a link with a one-time token, followed from a page that is not trusted', async () => {
    const mallory = await newUser(server);
    for (const [headers, works] of [
      [{ 'Sec-Fetch-Site': 'cross-site', Referer: 'https://evil.example/' }, false],
      [{ 'Sec-Fetch-Site': 'cross-site' }, false],
      [{ 'Sec-Fetch-Site': 'same-site', Referer: 'http://localhost:51730/' }, false],
      [{ 'Sec-Fetch-Site': 'same-site' }, false],
      [{ 'Sec-Fetch-Site': 'same-site', Referer: `${FRONTEND}/account` }, true],
      [{ 'Sec-Fetch-Site': 'cross-site', Referer: `${FRONTEND}/` }, true],
      [{ 'Sec-Fetch-Site': 'none' }, true],
      [{ 'Sec-Fetch-Site': 'same-origin' }, true],
    ]) {
      const { token } = (await call(server, 'GET', '/api/auth/one-time-token/generate', { token: mallory.token })).body;
      const { status, cookies } = await rawRequest(server, 'GET', `/api/ott/verify?token=${token}&redirect=/`, headers);
      assert.deepEqual([status, cookies.length], works ? [302, 1] : [403, 0], JSON.stringify(headers));
    }
  });
});

describe('open redirect', () => {
  test('sign-in and sign-up send nobody to another host, and open no session first', async () => {
    const user = await newUser(server);
    const before = await standing(user);
    for (const callbackURL of ELSEWHERE) {
      const email = newEmail();
      for (const [path, body] of [['/api/auth/sign-in/email', { email: user.email, password: PASSWORD, callbackURL }], ['/api/auth/sign-up/email', { name: 'Ada', email, password: PASSWORD, callbackURL }]]) {
        const answer = await post(path, body);
        assert.deepEqual([answer.status, answer.body?.code, answer.headers.get('location'), sessionCookie(answer)], [403, 'INVALID_CALLBACK_URL', null, undefined], `${path} ${callbackURL}`);
      }
      assert.equal(await signsIn(email, PASSWORD), false, 'no account was made');
    }
    assert.equal(await standing(user), before);
    const good = await post('/api/auth/sign-in/email', { email: user.email, password: PASSWORD, callbackURL: `${FRONTEND}/home?x=1` });
    assert.deepEqual([good.status, good.headers.get('location')], [200, `${FRONTEND}/home?x=1`]);
  });

  test('every kind of address is refused by every other route that takes one', async () => {
    const user = await newUser(server);
    for (const address of ELSEWHERE) {
      const query = new URLSearchParams({ token: 'x', callbackURL: address, redirect: address });
      for (const [method, path, body] of [
        ['GET', `/api/ott/verify?${query}`], ['GET', `/api/auth/verify-email?${query}`], ['GET', `/api/auth/reset-password/x?${query}`],
        ['POST', '/api/auth/request-password-reset', { email: user.email, redirectTo: address }], ['POST', '/api/auth/forget-password', { email: user.email, redirectTo: address }],
        ['POST', '/api/auth/send-verification-email', { email: user.email, callbackURL: address }],
        ['POST', '/api/auth/change-email', { newEmail: newEmail(), callbackURL: address }], ['POST', '/api/auth/delete-user', { callbackURL: address }],
        ...['callbackURL', 'errorCallbackURL', 'newUserCallbackURL'].map((field) => ['POST', '/api/auth/sign-in/social', { provider: 'google', [field]: address }]),
      ]) {
        const answer = await call(server, method, path, { token: user.token, body });
        assert.deepEqual([answer.status, answer.headers.get('location')], [403, null], `${method} ${path} ${address}: ${answer.text}`);
      }
    }
    await smtp.noMail(user.email);
  });

  test('no path of the pages leads out either', async () => {
    for (const path of ['//evil.example', '//evil.example/..', '//evil.example/%2e%2e', '/%2f%2fevil.example', '/\\evil.example', '/_//evil.example/', '//evil.example/_', '/_/..//evil.example', '/api//evil.example', '///evil.example/%2f..']) {
      const { status, headers } = await rawRequest(server, 'GET', path, { Host: `127.0.0.1:${server.port}` });
      const to = new URL(headers.location ?? '/', `${server.url}${path.replace(/^\/+|\\/g, '/')}`);
      assert.equal(to.origin, server.url, `${path}: ${status} ${headers.location}`);
    }
  });
});

describe('a superuser’s token in a cookie', () => {
  test('is nobody, under any name, on any route', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 10);
    const before = await standing(user);
    const { token } = root.authStore;
    const cookies = ['better-auth.session_token', '__Secure-better-auth.session_token', 'pb_auth', 'token', 'Authorization', 'session']
      .flatMap((name) => [token, signed(token), encodeURIComponent(JSON.stringify({ token, record: { collectionName: '_superusers' } }))].map((value) => `${name}=${value}`));
    for (const Cookie of [...cookies, cookies.join('; ')]) {
      for (const [method, path, body] of [
        ...SIGNED_IN_ROUTES.slice(0, 4), ['GET', '/api/user/profile'], ['GET', `/api/wallet/balance?userId=${user.id}`],
        ['POST', '/api/wallet/mint', { userId: user.id, amount: 1 }], ['POST', '/api/wallet/adjust', { userId: user.id, amount: 1, description: 'x' }], ['GET', '/api/settings'], ['GET', '/api/collections'], ['GET', '/api/logs'],
        ['GET', '/api/backups'], ['PATCH', '/api/settings', {}], ['DELETE', `/api/collections/users/records/${user.id}`],
      ]) {
        const answer = await call(server, method, path, { headers: { Cookie, Origin: FRONTEND }, body });
        assert.ok([401, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      }
      assert.equal(await sessionOf({ Cookie }), null);
    }
    assert.equal(await standing(user), before);
  });

  test('and a superuser’s sign-in sets none, nor does Better Auth’s road know superusers', async () => {
    const answer = await post('/api/collections/_superusers/auth-with-password', { identity: ROOT_EMAIL, password: ROOT_PASSWORD });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.headers.getSetCookie(), answer.headers.get('set-auth-token')], [[], null]);
    const other = await post('/api/auth/sign-in/email', { email: ROOT_EMAIL, password: ROOT_PASSWORD });
    assert.deepEqual([other.status, other.body.code], [401, 'INVALID_EMAIL_OR_PASSWORD']);
  });
});

describe('an API key', () => {
  test('is nobody on account routes, and nobody to PocketBase', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 10);
    const { apiKey } = (await call(server, 'GET', '/api/user/api-key', { token: user.token })).body;
    const before = await standing(user);
    for (const headers of [
      { Authorization: `Bearer ${apiKey}` }, { Authorization: apiKey }, { 'x-api-key': apiKey },
      { Cookie: `better-auth.session_token=${apiKey}`, Origin: FRONTEND }, { Cookie: `better-auth.session_token=${signed(apiKey)}`, Origin: FRONTEND },
    ]) {
      for (const [method, path, body] of SIGNED_IN_ROUTES) {
        const answer = await call(server, method, path, { headers, body });
        assert.deepEqual([answer.status, answer.body?.code], [401, 'UNAUTHORIZED'], `${path} ${Object.keys(headers)}`);
      }
      assert.equal(await sessionOf(headers), null);
      await call(server, 'POST', '/api/auth/sign-out', { headers, body: {} });
      for (const [method, path, body] of [
        ['GET', '/api/user/profile'], ['PATCH', '/api/user/profile', { firstName: 'Eve' }], ['GET', '/api/user/api-key'], ['POST', '/api/user/api-key/rotate', {}], ['GET', '/api/user/export'],
        ['GET', '/api/user/api-keys'], ['POST', '/api/user/api-keys', { name: 'eve' }], ['PATCH', '/api/user/api-keys/any', { disabled: true }], ['DELETE', '/api/user/api-keys/any'], ['POST', '/api/user/api-keys/any/rotate', {}],
        ['POST', '/api/collections/users/auth-refresh', {}], ['PATCH', `/api/collections/users/records/${user.id}`, { name: 'Eve' }], ['POST', '/api/files/token', {}],
        ['GET', '/api/settings'], ['POST', '/api/batch', { requests: [] }],
      ]) {
        const answer = await call(server, method, path, { headers, body });
        assert.ok([401, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      }
    }
    assert.equal(await standing(user), before);
    assert.equal((await call(server, 'GET', '/api/wallet/balance', { token: apiKey })).body.balance, 10, 'it does open what it is for');
  });
});
