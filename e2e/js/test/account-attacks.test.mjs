// Attacks on the routes by which users manage their account, and the limits of those routes.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { NEW_PASSWORD, RESET_ANSWER, startAccounts } from '../lib/accounts.mjs';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, sdkFor, superuser } from '../lib/people.mjs';
import { FRONTEND, startServer } from '../lib/server.mjs';

let house, server, smtp, root, signsIn, follow, resetMail, verifyMail, changeMail, resetToken, verified;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root, signsIn, follow, resetMail, verifyMail, changeMail, resetToken, verified } = house);
});
after(() => house?.stop());

describe('attacks on account routes', () => {
  test('nobody learns from a reset or a verification who has an account', async () => {
    const user = await newUser(server);
    const done = await verified(await newUser(server));
    for (const [path, addresses] of [
      ['/api/auth/request-password-reset', [user.email, newEmail()]],
      ['/api/auth/send-verification-email', [user.email, done.email, newEmail()]],
    ]) {
      const answers = [];
      for (const email of addresses) {
        const { status, text, headers } = await call(server, 'POST', path, { body: { email } });
        answers.push(JSON.stringify([status, text, [...headers].filter(([name]) => name !== 'date')]));
      }
      assert.equal(new Set(answers).size, 1, answers.join('\n'));
    }
  });

  test('a change to an address that is taken looks like any other, and sends nothing', async () => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const change = (email) => call(server, 'POST', '/api/auth/change-email', { token: user.token, body: { newEmail: email } });
    const [taken, free] = [await change(other.email), await change(newEmail())];
    assert.deepEqual([taken.status, taken.text], [free.status, free.text]);
    await smtp.noMail(other.email);
  });

  const ELSEWHERE = ['https://evil.example/x', '//evil.example', '/\\evil.example', 'javascript:alert(1)', `${FRONTEND}.evil.example/`, `${FRONTEND}@evil.example/`, 'https:evil.example', '/%2fevil.example', 'data:text/html,x'];
  for (const address of ELSEWHERE) {
    test(`no route sends anybody on to ${address}`, async () => {
      const user = await newUser(server);
      const query = `callbackURL=${encodeURIComponent(address)}`;
      const token = await resetToken(user.email);
      for (const [method, path, body, code] of [
        ['POST', '/api/auth/request-password-reset', { email: user.email, redirectTo: address }, 'INVALID_REDIRECT_URL'],
        ['POST', '/api/auth/send-verification-email', { email: user.email, callbackURL: address }, 'INVALID_CALLBACK_URL'],
        ['POST', '/api/auth/change-email', { newEmail: newEmail(), callbackURL: address }, 'INVALID_CALLBACK_URL'],
        ['POST', '/api/auth/delete-user', { callbackURL: address }, 'INVALID_CALLBACK_URL'],
        ['GET', `/api/auth/reset-password/${token}?${query}`, undefined, 'INVALID_CALLBACK_URL'],
        ['GET', `/api/auth/reset-password/bogus?${query}`, undefined, 'INVALID_CALLBACK_URL'],
        ['GET', `/api/auth/verify-email?token=bogus&${query}`, undefined, 'INVALID_CALLBACK_URL'],
      ]) {
        const answer = await call(server, method, path, { token: user.token, body });
        assert.deepEqual([answer.status, answer.body?.code, answer.headers.get('location')], [403, code, null], `${method} ${path}`);
      }
    });
  }

  test('a page cannot choose the token that the link of a mail brings', async () => {
    const user = await newUser(server);
    await call(server, 'POST', '/api/auth/request-password-reset', { body: { email: user.email, redirectTo: `${FRONTEND}/reset?token=mine&tok%65n=mine&error=x` } });
    const page = new URL((await follow(await resetMail(user.email))).headers.get('location'));
    assert.equal(page.searchParams.getAll('token').length, 1);
    assert.notEqual(page.searchParams.get('token'), 'mine');
  });

  test("the mail's link does not follow the Host of the request", async () => {
    const user = await newUser(server);
    const body = JSON.stringify({ email: user.email, redirectTo: 'http://evil.example/reset' });
    const status = await new Promise((done, fail) => {
      request(`${server.url}/api/auth/request-password-reset`, { method: 'POST', headers: { Host: 'evil.example', 'Content-Type': 'application/json' } },
        (answer) => { answer.resume(); done(answer.statusCode); }).on('error', fail).end(body);
    });
    assert.equal(status, 200, 'it is its own origin, as far as the server can see');
    const mail = await resetMail(user.email);
    assert.equal(new URL(mail.links[0]).origin, server.url);
    assert.equal((await follow(mail)).status, 403, 'and the real server does not send anybody there');
  });

  test('update-user takes a name and a picture only', async () => {
    const user = await newUser(server);
    const before = await root.collection('users').getOne(user.id);
    const body = { name: 'Eve', id: 'another', email: '', emailVerified: true, verified: true, role: 'admin', balance: 5, balance_tokens: 5, tokenKey: 'x', password: 'x', createdAt: 0, emailVisibility: true };
    const answer = await call(server, 'POST', '/api/auth/update-user', { token: user.token, body });
    assert.deepEqual(answer.body, { status: true });
    const { name, updated, ...rest } = await root.collection('users').getOne(user.id);
    const { name: _, updated: __, ...expected } = before;
    assert.equal(name, 'Eve');
    assert.deepEqual(rest, expected);
    assert.equal((await call(server, 'GET', '/api/wallet/balance', { token: user.token })).body.balance, 0);
    assert.equal(await signsIn(user.email, PASSWORD), true);
    const nothing = await call(server, 'POST', '/api/auth/update-user', { token: user.token, body: { emailVerified: true, role: 'admin' } });
    assert.deepEqual([nothing.status, nothing.text.trim()], [400, '{"message":"No fields to update"}']);
  });

  test('an API key, a superuser and a guest are nobody on account routes', async () => {
    const user = await newUser(server);
    await mint(server, root, user, 10);
    const { apiKey } = (await call(server, 'GET', '/api/user/api-key', { token: user.token })).body;
    const cookie = (token) => ({ Cookie: `better-auth.session_token=${encodeURIComponent(token)}`, Origin: FRONTEND });
    for (const [who, credential] of [
      ['key', { token: apiKey }], ['x-api-key', { headers: { 'x-api-key': apiKey } }], ['superuser', { token: root.authStore.token }],
      ["superuser's token in a cookie", { headers: cookie(root.authStore.token) }], ['guest', {}],
    ]) {
      for (const [method, path, body] of [
        ['POST', 'update-user', { name: 'Eve' }], ['POST', 'change-password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }],
        ['POST', 'change-email', { newEmail: newEmail() }], ['POST', 'delete-user', { password: PASSWORD }], ['GET', 'list-accounts', undefined],
      ]) {
        const answer = await call(server, method, `/api/auth/${path}`, { ...credential, body });
        assert.deepEqual([answer.status, answer.body?.code], [401, 'UNAUTHORIZED'], `${who}: ${path}`);
      }
    }
    assert.equal(await signsIn(user.email, PASSWORD), true);
  });

  test('a cookie from another origin changes nothing', async () => {
    const user = await newUser(server);
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: PASSWORD } });
    const Cookie = answer.headers.getSetCookie()[0].split(';')[0];
    for (const [path, body] of [
      ['update-user', { name: 'Eve' }], ['change-password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }],
      ['change-email', { newEmail: newEmail() }], ['delete-user', {}],
    ]) {
      const refusal = await call(server, 'POST', `/api/auth/${path}`, { headers: { Cookie, Origin: 'https://evil.example' }, body });
      assert.deepEqual([refusal.status, refusal.body?.code], [403, 'INVALID_ORIGIN'], path);
    }
    assert.equal(await signsIn(user.email, PASSWORD), true);
  });

  test('one token resets one password, however many use it at once', async () => {
    const user = await newUser(server);
    const token = await resetToken(user.email);
    const passwords = Array.from({ length: 8 }, (_, i) => `${NEW_PASSWORD}-${i}`);
    const answers = await Promise.all(passwords.map((newPassword) => call(server, 'POST', '/api/auth/reset-password', { body: { newPassword, token } })));
    const winners = answers.flatMap((answer, i) => (answer.status === 200 ? [i] : []));
    assert.equal(winners.length, 1, answers.map((answer) => answer.text).join('\n'));
    for (const answer of answers.filter(({ status }) => status !== 200)) assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_TOKEN']);
    assert.equal(await signsIn(user.email, passwords[winners[0]]), true);
  });

  test('a token is good for its user, its purpose and its time only', async () => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const token = await resetToken(user.email);
    const reset = (with_) => call(server, 'POST', '/api/auth/reset-password', { body: { newPassword: NEW_PASSWORD, token: with_ } });
    const [head, payload, signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const forged = (changes, header = head) => [header, Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url'), signature].join('.');
    const pocketBase = await sdkFor(server, user);
    await call(server, 'POST', '/api/auth/send-verification-email', { body: { email: user.email } });
    const verification = new URL((await verifyMail(user.email)).links[0]).searchParams.get('token');
    for (const bad of [
      forged({ id: other.id }), forged({ id: other.id, email: other.email }), forged({ exp: claims.exp + 1 }), forged({ type: 'auth' }),
      forged({}, Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')), `${head}.${payload}.`, verification, pocketBase.authStore.token, user.token, 'x'.repeat(5_000), "' OR 1=1 --",
    ]) {
      const answer = await reset(bad);
      assert.ok([400].includes(answer.status) && ['INVALID_TOKEN', 'VALIDATION_ERROR'].includes(answer.body.code), answer.text);
    }
    const asVerification = await call(server, 'GET', `/api/auth/verify-email?token=${token}`);
    assert.deepEqual([asVerification.status, asVerification.body.code], [401, 'INVALID_TOKEN']);
    const asSession = await call(server, 'GET', '/api/auth/get-session', { token });
    assert.equal(asSession.body, null);
    assert.equal(await signsIn(user.email, PASSWORD), true);
    assert.equal(await signsIn(other.email, PASSWORD), true);
    await call(server, 'POST', '/api/auth/change-password', { token: user.token, body: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD } });
    assert.deepEqual((await reset(token)).body.code, 'INVALID_TOKEN', 'a new password ends the mails before it');
  });

  test("PocketBase's change-of-address token does not get around its password here, nor ours around the old address there", async () => {
    const user = await verified(await newUser(server));
    const next = newEmail();
    const pocketBase = await sdkFor(server, user);
    await pocketBase.collection('users').requestEmailChange(next);
    const theirs = (await changeMail(next)).links[0].split('/').at(-1);
    const answer = await call(server, 'GET', `/api/auth/verify-email?token=${theirs}`);
    assert.deepEqual([answer.status, answer.body.code], [401, 'INVALID_TOKEN']);

    await call(server, 'POST', '/api/auth/change-email', { token: user.token, body: { newEmail: next } });
    const mail = await changeMail(user.email);
    const ours = new URL(mail.links[0]).searchParams.get('token');
    await assert.rejects(pocketBase.collection('users').confirmEmailChange(ours, PASSWORD));
    assert.equal(mail.raw.includes(theirs.split('.')[2]), false);
    assert.equal(await signsIn(user.email, PASSWORD), true);
  });

  test('a mail about a change is followed by its own user only', async () => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const next = newEmail();
    await call(server, 'POST', '/api/auth/change-email', { token: user.token, body: { newEmail: next, callbackURL: '/done' } });
    const mail = await changeMail(next);
    const cookie = (await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: other.email, password: PASSWORD } })).headers.getSetCookie()[0].split(';')[0];
    assert.equal((await follow(mail, { Cookie: cookie })).headers.get('location'), '/done?error=INVALID_USER');
    assert.equal(await signsIn(user.email, PASSWORD), true);
  });

  test('session fixation: a password change gives a browser another session, whatever cookie it had', async () => {
    const user = await newUser(server);
    const { headers } = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: PASSWORD } });
    const Cookie = headers.getSetCookie()[0].split(';')[0];
    const changed = await call(server, 'POST', '/api/auth/change-password', { headers: { Cookie, Origin: FRONTEND }, body: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD } });
    const fresh = changed.headers.getSetCookie()[0].split(';')[0];
    assert.notEqual(fresh, Cookie);
    const session = async (cookie) => (await call(server, 'GET', '/api/auth/get-session', { headers: { Cookie: cookie } })).body;
    assert.equal(await session(Cookie), null);
    assert.equal((await session(fresh)).user.id, user.id);
  });

  test('no line break gets into the head of a mail', async () => {
    const users = await root.collections.getOne('users');
    const broken = 'Eve\r\nBcc: victim@example.com\r\n\r\n<b>hello</b>';
    const user = await newUser(server, broken);
    await root.collections.update('users', { resetPasswordTemplate: { ...users.resetPasswordTemplate, subject: 'For {RECORD:name}' } });
    try {
      await call(server, 'POST', '/api/auth/request-password-reset', { body: { email: user.email, redirectTo: '/reset' } });
      const mail = await smtp.waitForMail(user.email);
      assert.deepEqual(mail.to, [user.email]);
      assert.equal(mail.headers.bcc, undefined);
      assert.equal(mail.headers.subject.length, 1);
      assert.match(mail.subject, /Eve/);
    } finally {
      await root.collections.update('users', { resetPasswordTemplate: users.resetPasswordTemplate });
    }
    for (const email of ['a@example.com\r\nBcc: victim@example.com', 'a@example.com\nX: y', '"a\r\nBcc: b"@example.com', 'a@example.com,victim@example.com', 'a@example.com%0d%0aBcc: x@example.com']) {
      for (const [path, body] of [
        ['request-password-reset', { email }], ['send-verification-email', { email }], ['change-email', { newEmail: email }],
      ]) {
        const answer = await call(server, 'POST', `/api/auth/${path}`, { token: user.token, body });
        assert.deepEqual([answer.status, answer.body.code], [400, 'VALIDATION_ERROR'], `${path} ${email}`);
      }
    }
    assert.ok(!smtp.mails().some((mail) => mail.to.includes('victim@example.com')));
  });

  test('an address with quotes, and one with SQL in it, is an address or is refused', async () => {
    for (const email of ["o'hara'--@example.com", "x'or'1'='1@example.com", 'a"b@example.com']) {
      const answer = await call(server, 'POST', '/api/auth/request-password-reset', { body: { email } });
      assert.ok([200, 400].includes(answer.status), answer.text);
    }
  });
});

describe('throttles of account routes', () => {
  let strict;
  before(async () => { strict = await startServer({ env: { AUTH_RATE_LIMIT: '3' } }); });
  after(() => strict?.stop());

  for (const [path, body, seconds] of [
    ['change-password', { currentPassword: 'wrong-password', newPassword: NEW_PASSWORD }, 10],
    ['change-email', { newEmail: 'nobody' }, 10],
    ['request-password-reset', { email: 'nobody@example.com' }, 60],
    ['send-verification-email', { email: 'nobody@example.com' }, 60],
  ]) {
    test(`${path}: three, then 429 with X-Retry-After`, async () => {
      const attempt = () => call(strict, 'POST', `/api/auth/${path}`, { body });
      for (let i = 0; i < 3; i++) assert.notEqual((await attempt()).status, 429);
      const refusal = await attempt();
      assert.equal(refusal.status, 429);
      assert.equal(refusal.text.trim(), '{"message":"Too many requests. Please try again later."}');
      const wait = Number(refusal.headers.get('x-retry-after'));
      assert.ok(wait >= 1 && wait <= seconds, String(wait));
    });
  }

  test('guesses at the password by delete-user are counted', async () => {
    const user = await newUser(strict);
    const attempt = (password) => call(strict, 'POST', '/api/auth/delete-user', { token: user.token, body: { password } });
    for (let i = 0; i < 3; i++) assert.equal((await attempt(`guess-number-${i}`)).status, 400);
    assert.equal((await attempt(PASSWORD)).status, 429);
  });
});

test('without a mail server the start says so, and the routes answer as ever', async () => {
  const mute = await startServer({ env: { PATH: '/nonexistent' } });
  try {
    assert.equal(mute.output().match(/No mail server is set/g)?.length, 1);
    const user = await newUser(mute);
    for (const email of [user.email, newEmail()]) {
      assert.deepEqual((await call(mute, 'POST', '/api/auth/request-password-reset', { body: { email } })).body, RESET_ANSWER);
    }
    const muteRoot = await superuser(mute);
    let rows = [];
    for (let tries = 0; tries < 50 && rows.length === 0; tries++) {
      await new Promise((done) => { setTimeout(done, 200); });
      rows = (await muteRoot.logs.getList(1, 50, { filter: 'message ~ "A mail was not sent"' })).items;
    }
    assert.equal(rows.length, 1);
    assert.equal(rows[0].data.user, user.id);
    assert.doesNotMatch(JSON.stringify(rows), /eyJ/);
  } finally {
    await mute.stop();
  }
});
