// Better Auth's own clients, the newest and the one the seed shipped with, and the wire below them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAuthClient as createNewest } from 'better-auth/client';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { bearerClient, cookieClient } from '../lib/betterauth.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD, signIn } from '../lib/people.mjs';
import { FRONTEND, startServer } from '../lib/server.mjs';

const TOKEN = /^[A-Za-z0-9]{32}$/;
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

/** The answer's data, when it is one. */
function ok({ data, error }) {
  assert.equal(error, null, JSON.stringify(error));
  return data;
}

function refused({ data, error }, status, code) {
  assert.equal(data, null);
  assert.deepEqual({ status: error?.status, code: error?.code }, { status, code });
  return error;
}

for (const [version, createAuthClient] of [['newest', createNewest], ['1.4.3', create143]]) {
  describe(`Better Auth client ${version}`, () => {
    const bearer = () => bearerClient(createAuthClient, server.url);

    /** A new account, signed in on this client. */
    async function account() {
      const here = bearer();
      const email = newEmail();
      const data = ok(await here.client.signUp.email({ name: 'Ada', email, password: PASSWORD }));
      return { ...here, email, data };
    }

    /** The same account, signed in once more. */
    async function elsewhere({ email }) {
      const there = bearer();
      const data = ok(await there.client.signIn.email({ email, password: PASSWORD }));
      return { ...there, data };
    }

    test('sign-up answers token and user, and the client is signed in', async () => {
      const { client, token, email, data } = await account();
      assert.match(data.token, TOKEN);
      assert.equal(data.user.email, email);
      assert.equal(data.user.name, 'Ada');
      assert.equal(data.user.emailVerified, false);
      assert.ok(token().startsWith(`${data.token}.`), 'set-auth-token is the signed form of the token');

      const session = ok(await client.getSession());
      assert.equal(session.user.id, data.user.id);
      assert.equal(session.session.userId, data.user.id);
      assert.equal(session.session.token, data.token);
      const days = (new Date(session.session.expiresAt) - new Date(session.session.createdAt)) / (24 * 3600 * 1000);
      assert.equal(days.toFixed(3), '7.000');
    });

    test('sign-up lower-cases the e-mail, and sign-in takes any letter case', async () => {
      const email = newEmail();
      const { client } = bearer();
      const up = ok(await client.signUp.email({ name: 'Ada', email: email.toUpperCase(), password: PASSWORD }));
      assert.equal(up.user.email, email);
      const back = ok(await bearer().client.signIn.email({ email: email.toUpperCase(), password: PASSWORD }));
      assert.equal(back.user.id, up.user.id);
    });

    test('sign-in answers redirect false, a new token and the same user', async () => {
      const first = await account();
      const { data } = await elsewhere(first);
      assert.equal(data.redirect, false);
      assert.match(data.token, TOKEN);
      assert.notEqual(data.token, first.data.token);
      assert.equal(data.user.id, first.data.user.id);
    });

    test('without a session get-session is null and list-sessions is 401', async () => {
      const { client } = bearer();
      assert.equal(ok(await client.getSession()), null);
      assert.equal((await client.listSessions()).error.status, 401);
    });

    test('revoke-session takes a handle of list-sessions: the other session dies, this one lives', async () => {
      const here = await account();
      const there = await elsewhere(here);
      const sessions = ok(await here.client.listSessions());
      assert.equal(sessions.length, 2);
      const others = sessions.filter((session) => session.token !== here.data.token);
      assert.equal(others.length, 1, 'one of the two is this session, with its own token');
      const handle = others[0].token;
      assert.notEqual(handle, there.data.token, 'another session is named by a handle, never by its token');
      const asBearer = await call(server, 'GET', '/api/auth/get-session', { token: handle });
      assert.equal(asBearer.text.trim(), 'null', 'a handle signs nobody in');

      assert.deepEqual(ok(await here.client.revokeSession({ token: handle })), { status: true });
      assert.equal(ok(await there.client.getSession()), null);
      assert.equal(ok(await here.client.getSession()).user.id, here.data.user.id);
      assert.equal(ok(await here.client.listSessions()).length, 1);
    });

    test("revoke-session with another user's handle changes nothing", async () => {
      const victim = await account();
      const victimElsewhere = await elsewhere(victim);
      const handle = ok(await victim.client.listSessions()).find((session) => session.token !== victim.data.token).token;
      const thief = await account();
      await thief.client.revokeSession({ token: handle });
      assert.equal(ok(await victimElsewhere.client.getSession()).user.id, victim.data.user.id);
    });

    test('revoke-other-sessions leaves this session alone', async () => {
      const here = await account();
      const second = await elsewhere(here);
      const third = await elsewhere(here);
      assert.deepEqual(ok(await here.client.revokeOtherSessions()), { status: true });
      assert.equal(ok(await second.client.getSession()), null);
      assert.equal(ok(await third.client.getSession()), null);
      assert.equal(ok(await here.client.getSession()).user.id, here.data.user.id);
    });

    test('revoke-sessions ends every session, this one included', async () => {
      const here = await account();
      const there = await elsewhere(here);
      assert.deepEqual(ok(await here.client.revokeSessions()), { status: true });
      assert.equal(ok(await here.client.getSession()), null);
      assert.equal(ok(await there.client.getSession()), null);
    });

    test('sign-out ends this session at once, and no other', async () => {
      const here = await account();
      const there = await elsewhere(here);
      assert.deepEqual(ok(await here.client.signOut()), { success: true });
      assert.equal(ok(await here.client.getSession()), null);
      assert.equal(ok(await there.client.getSession()).user.id, here.data.user.id);
      const wallet = (token) => call(server, 'GET', '/api/wallet/balance', { token });
      assert.equal((await wallet(here.data.token)).status, 401);
      assert.equal((await wallet(there.data.token)).status, 200);
    });

    test('a wrong password and an unknown e-mail are the same 401', async () => {
      const { email } = await account();
      const wrong = refused(await bearer().client.signIn.email({ email, password: 'not-the-password' }), 401, 'INVALID_EMAIL_OR_PASSWORD');
      const unknown = refused(await bearer().client.signIn.email({ email: newEmail(), password: PASSWORD }), 401, 'INVALID_EMAIL_OR_PASSWORD');
      assert.equal(wrong.message, 'Invalid email or password');
      assert.equal(unknown.message, wrong.message);
    });

    test('an e-mail signs up once, in whatever letter case', async () => {
      const { email } = await account();
      const again = await bearer().client.signUp.email({ name: 'Eve', email: email.replace('user', 'USER'), password: PASSWORD });
      const error = refused(again, 422, 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL');
      assert.equal(error.message, 'User already exists. Use another email.');
    });

    test('a password has 8 to 128 characters', async () => {
      const signUp = (password) => bearer().client.signUp.email({ name: 'Ada', email: newEmail(), password });
      assert.equal(refused(await signUp('seven-7'), 400, 'PASSWORD_TOO_SHORT').message, 'Password too short');
      refused(await signUp('x'.repeat(129)), 400, 'PASSWORD_TOO_LONG');
      ok(await signUp('eight-88'));
      ok(await signUp('x'.repeat(128)));
    });

    test('an address that is none is refused', async () => {
      const answer = await bearer().client.signUp.email({ name: 'Ada', email: 'not-an-address', password: PASSWORD });
      const error = refused(answer, 400, 'VALIDATION_ERROR');
      assert.equal(error.message, '[body.email] Invalid email address');
    });

    test('with cookies and a trusted Origin: sign-up, session, sign-out, sign-in', async () => {
      const { client, jar } = cookieClient(createAuthClient, server.url, FRONTEND);
      const email = newEmail();
      const up = ok(await client.signUp.email({ name: 'Ada', email, password: PASSWORD }));
      assert.deepEqual([...jar.keys()], ['better-auth.session_token']);
      assert.equal(ok(await client.getSession()).user.id, up.user.id);
      assert.equal(ok(await client.listSessions()).length, 1);

      assert.deepEqual(ok(await client.signOut()), { success: true });
      assert.equal(jar.size, 0, 'sign-out takes the cookie away');
      assert.equal(ok(await client.getSession()), null);

      assert.equal(ok(await client.signIn.email({ email, password: PASSWORD })).user.id, up.user.id);
      assert.equal(ok(await client.getSession()).user.id, up.user.id);
    });
  });
}

describe('bearer forms', () => {
  let user, cookieValue;
  before(async () => {
    const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email: newEmail(), password: PASSWORD } });
    user = { id: answer.body.user.id, token: answer.body.token };
    cookieValue = /^better-auth\.session_token=([^;]+)/.exec(answer.headers.getSetCookie()[0])[1];
  });

  const session = (token) => call(server, 'GET', '/api/auth/get-session', { token });
  const balance = (token) => call(server, 'GET', '/api/wallet/balance', { token });

  for (const [form, token] of [
    ['raw', () => user.token],
    ['signed, decoded', () => decodeURIComponent(cookieValue)],
    ['signed, %-encoded', () => cookieValue],
  ]) {
    test(`the ${form} token signs in on both route families`, async () => {
      const seen = await session(token());
      assert.equal(seen.status, 200);
      assert.equal(seen.body.user.id, user.id);
      assert.equal((await balance(token())).status, 200);
    });
  }

  test('the word Bearer is read in any letter case', async () => {
    const answer = await call(server, 'GET', '/api/auth/get-session', { headers: { Authorization: `bearer ${user.token}` } });
    assert.equal(answer.body.user.id, user.id);
  });

  const other = (letter) => (letter === 'A' ? 'B' : 'A');
  for (const [form, token] of [
    ['raw token with one letter changed', () => other(user.token[0]) + user.token.slice(1)],
    ['raw token one letter short', () => user.token.slice(0, -1)],
    ['right token with a changed signature', () => {
      const signed = decodeURIComponent(cookieValue);
      return `${signed.slice(0, 33)}${other(signed[33])}${signed.slice(34)}`;
    }],
    ['right token with an empty signature', () => `${user.token}.`],
    ['right signature on another token', () => other(user.token[0]) + cookieValue.slice(1)],
  ]) {
    test(`${form}: a null session and no wallet`, async () => {
      const seen = await session(token());
      assert.equal(seen.status, 200);
      assert.equal(seen.body, null);
      const wallet = await balance(token());
      assert.equal(wallet.status, 401);
      assert.equal(wallet.body.error, 'Unauthorized');
    });
  }
});

describe('a cookie needs a trusted Origin', () => {
  async function cookieOf(user) {
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: user.password } });
    return answer.headers.getSetCookie()[0].split(';')[0];
  }
  const signOut = (Cookie, headers) => call(server, 'POST', '/api/auth/sign-out', { headers: { Cookie, ...headers } });
  const alive = async (Cookie) => (await call(server, 'GET', '/api/auth/get-session', { headers: { Cookie } })).body !== null;

  for (const [what, headers, code, message] of [
    ['a foreign Origin', { Origin: 'https://evil.example' }, 'INVALID_ORIGIN', 'Invalid origin'],
    ['a look-alike Origin', { Origin: `${FRONTEND}.evil.example` }, 'INVALID_ORIGIN', 'Invalid origin'],
    ['no Origin', {}, 'MISSING_OR_NULL_ORIGIN', 'Missing or null Origin'],
    ['a null Origin', { Origin: 'null' }, 'MISSING_OR_NULL_ORIGIN', 'Missing or null Origin'],
  ]) {
    test(`sign-out with ${what} is 403 ${code} and ends nothing`, async () => {
      const cookie = await cookieOf(await newUser(server));
      const answer = await signOut(cookie, headers);
      assert.equal(answer.status, 403);
      assert.equal(answer.text.trim(), JSON.stringify({ message, code }));
      assert.equal(await alive(cookie), true);
    });
  }

  for (const [what, origin] of [['the frontend', () => FRONTEND], ['its own origin', () => server.url]]) {
    test(`sign-out from ${what} ends the session`, async () => {
      const cookie = await cookieOf(await newUser(server));
      assert.equal((await signOut(cookie, { Origin: origin() })).status, 200);
      assert.equal(await alive(cookie), false);
    });
  }

  test('a cookie with a changed signature signs nobody in', async () => {
    const cookie = await cookieOf(await newUser(server));
    const dot = cookie.lastIndexOf('.');
    const forged = `${cookie.slice(0, dot + 1)}${cookie[dot + 1] === 'A' ? 'B' : 'A'}${cookie.slice(dot + 2)}`;
    assert.equal(await alive(cookie), true);
    assert.equal(await alive(forged), false);
  });

  test('an unsafe wallet or profile call with a cookie needs it too', async () => {
    const user = await newUser(server);
    const cookie = await cookieOf(user);
    const patch = (headers) => call(server, 'PATCH', '/api/user/profile', { headers: { Cookie: cookie, ...headers }, body: { firstName: 'Eve' } });
    const refusal = await patch({ Origin: 'https://evil.example' });
    assert.ok([401, 403].includes(refusal.status), refusal.text);
    assert.equal((await patch({ Origin: FRONTEND })).status, 200);
  });
});

describe('the wire', () => {
  const USER_KEYS = ['name', 'email', 'emailVerified', 'createdAt', 'updatedAt', 'id'];
  const EXPIRING = ['session_token', 'session_data', 'dont_remember']
    .map((name) => `better-auth.${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);
  const userKeys = (user) => Object.keys(user).filter((key) => key !== 'image');

  test('sign-up: headers, cookie and key order are those of Better Auth', async () => {
    const email = newEmail();
    const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email, password: PASSWORD } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type'), /^application\/json(; ?charset=utf-8)?$/i);
    assert.match(answer.headers.get('access-control-expose-headers'), /\bset-auth-token\b/i);

    const cookies = answer.headers.getSetCookie();
    assert.equal(cookies.length, 1);
    const [, value] = /^better-auth\.session_token=([^;]+); Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/.exec(cookies[0]) ?? [];
    assert.ok(value, cookies[0]);
    assert.equal(answer.headers.get('set-auth-token'), decodeURIComponent(value));
    assert.match(decodeURIComponent(value), /^[A-Za-z0-9]{32}\.[A-Za-z0-9+/]{43}=$/);

    const { body } = answer;
    assert.deepEqual(Object.keys(body), ['token', 'user']);
    assert.ok(decodeURIComponent(value).startsWith(`${body.token}.`));
    assert.deepEqual(userKeys(body.user), USER_KEYS);
    assert.equal(body.user.image ?? null, null);
    assert.equal(body.user.email, email);
    assert.match(body.user.createdAt, UTC);
    assert.match(body.user.updatedAt, UTC);
  });

  test('sign-in: redirect, token, user', async () => {
    const user = await newUser(server);
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: PASSWORD } });
    assert.deepEqual(Object.keys(answer.body), ['redirect', 'token', 'user']);
    assert.deepEqual(userKeys(answer.body.user), USER_KEYS);
    assert.equal(answer.headers.getSetCookie().length, 1);
    assert.ok(answer.headers.get('set-auth-token').startsWith(`${answer.body.token}.`));
  });

  test('get-session: session, user, never cached', async () => {
    const { token } = await newUser(server);
    const answer = await call(server, 'GET', '/api/auth/get-session', { token });
    assert.deepEqual(Object.keys(answer.body), ['session', 'user']);
    assert.deepEqual(Object.keys(answer.body.session), ['expiresAt', 'token', 'createdAt', 'updatedAt', 'ipAddress', 'userAgent', 'userId', 'id']);
    assert.deepEqual(userKeys(answer.body.user), USER_KEYS);
    assert.match(answer.body.session.expiresAt, UTC);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.get('pragma'), 'no-cache');
  });

  test('get-session with a bad token: 200 null and the expiring cookies', async () => {
    const answer = await call(server, 'GET', '/api/auth/get-session', { token: 'bogus' });
    assert.equal(answer.status, 200);
    assert.equal(answer.text.trim(), 'null');
    assert.deepEqual(answer.headers.getSetCookie(), EXPIRING);
  });

  test('sign-out: success and the expiring cookies; without a session too', async () => {
    const { token } = await newUser(server);
    const answer = await call(server, 'POST', '/api/auth/sign-out', { token });
    assert.equal(answer.text.trim(), '{"success":true}');
    assert.deepEqual(answer.headers.getSetCookie(), EXPIRING);
    const again = await call(server, 'POST', '/api/auth/sign-out', { token });
    assert.equal(again.status, 200);
    assert.equal(again.text.trim(), '{"success":true}');
  });

  test('an error is message, then code', async () => {
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: newEmail(), password: PASSWORD } });
    assert.equal(answer.status, 401);
    assert.equal(answer.text.trim(), '{"message":"Invalid email or password","code":"INVALID_EMAIL_OR_PASSWORD"}');
  });

  test('sign-in from a foreign Origin with a cookie is refused', async () => {
    const user = await newUser(server);
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', {
      headers: { Origin: 'https://evil.example', Cookie: 'a=b' },
      body: { email: user.email, password: PASSWORD },
    });
    assert.equal(answer.status, 403);
    assert.equal(answer.text.trim(), '{"message":"Invalid origin","code":"INVALID_ORIGIN"}');
  });

  test("the seed's aliases: POST sign-up, GET session, GET ok", async () => {
    const up = await call(server, 'POST', '/api/auth/sign-up', { body: { name: 'Ada', email: newEmail(), password: PASSWORD } });
    assert.equal(up.status, 200);
    assert.match(up.body.token, TOKEN);
    const session = await call(server, 'GET', '/api/auth/session', { token: up.body.token });
    assert.equal(session.body.user.id, up.body.user.id);
    const nobody = await call(server, 'GET', '/api/auth/session');
    assert.equal(nobody.status, 200);
    assert.equal(nobody.text.trim(), 'null');
    const health = await call(server, 'GET', '/api/auth/ok');
    assert.equal(health.status, 200);
    assert.equal(health.text.trim(), '{"ok":true}');
  });

  test('an unknown route, and a known one by another method, are 404 with an empty body', async () => {
    for (const path of ['/api/auth/nope', '/api/auth/sign-in/email']) {
      const answer = await call(server, 'GET', path);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.text, '', path);
    }
  });

  test('list-sessions gives each session the keys of get-session', async () => {
    const user = await newUser(server);
    await signIn(server, user);
    const answer = await call(server, 'GET', '/api/auth/list-sessions', { token: user.token });
    for (const session of answer.body) {
      assert.deepEqual(Object.keys(session), ['expiresAt', 'token', 'createdAt', 'updatedAt', 'ipAddress', 'userAgent', 'userId', 'id']);
      assert.equal(session.userId, user.id);
    }
  });
});
