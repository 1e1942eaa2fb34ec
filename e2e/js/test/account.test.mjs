// What users do with their own account: Better Auth's clients, the newest and the one the seed shipped with, and the
// mails that a real SMTP server got.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAuthClient as createNewest } from 'better-auth/client';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { NEW_PASSWORD, RESET_ANSWER, startAccounts } from '../lib/accounts.mjs';
import { bearerClient, cookieClient } from '../lib/betterauth.mjs';
import { call } from '../lib/http.mjs';
import { mint, newEmail, newUser, PASSWORD, sdk, sdkFor, signIn } from '../lib/people.mjs';
import { FRONTEND } from '../lib/server.mjs';

let house, server, smtp, root, signsIn, alive, follow, resetMail, verifyMail, changeMail, resetToken, verified;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root, signsIn, alive, follow, resetMail, verifyMail, changeMail, resetToken, verified } = house);
});
after(() => house?.stop());

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

    async function account() {
      const here = bearer();
      const email = newEmail();
      const data = ok(await here.client.signUp.email({ name: 'Ada', email, password: PASSWORD }));
      return { ...here, email, data };
    }

    test('updateUser changes name and image, and clears the image', async () => {
      const { client, data } = await account();
      assert.deepEqual(ok(await client.updateUser({ name: 'Ada L', image: 'https://example.com/ada.png' })), { status: true });
      let { user } = ok(await client.getSession());
      assert.deepEqual([user.name, user.image, user.id], ['Ada L', 'https://example.com/ada.png', data.user.id]);
      ok(await client.updateUser({ image: null }));
      ({ user } = ok(await client.getSession()));
      assert.equal(user.image ?? null, null);
      assert.equal(user.name, 'Ada L');
      refused(await client.updateUser({ email: newEmail() }), 400, 'EMAIL_CAN_NOT_BE_UPDATED');
    });

    for (const revokeOtherSessions of [true, false]) {
      test(`changePassword (revokeOtherSessions ${revokeOtherSessions}) ends all other sessions of both roads`, async () => {
        const here = await account();
        const user = { email: here.email, password: PASSWORD };
        const there = await signIn(server, user);
        const pocketBase = await sdkFor(server, user);
        const old = here.token();

        const answer = ok(await here.client.changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD, revokeOtherSessions }));
        assert.equal(answer.user.id, here.data.user.id);
        assert.match(answer.token, /^[A-Za-z0-9]{32}$/);
        assert.notEqual(here.token(), old, 'the caller has another session');
        assert.ok(here.token().startsWith(`${answer.token}.`));
        assert.equal(ok(await here.client.getSession()).user.id, here.data.user.id);
        assert.equal(ok(await here.client.listSessions()).length, 1);

        assert.equal(await alive(old), false);
        assert.equal(await alive(there), false);
        await assert.rejects(pocketBase.collection('users').authRefresh());
        assert.equal(await signsIn(here.email, PASSWORD), false);
        assert.equal(await signsIn(here.email, NEW_PASSWORD), true);
      });
    }

    test('changePassword with a wrong password, a short and a long one', async () => {
      const { client, email } = await account();
      const change = (currentPassword, newPassword) => client.changePassword({ currentPassword, newPassword });
      refused(await change('wrong-password', NEW_PASSWORD), 400, 'INVALID_PASSWORD');
      refused(await change(PASSWORD, 'seven-7'), 400, 'PASSWORD_TOO_SHORT');
      refused(await change(PASSWORD, 'x'.repeat(129)), 400, 'PASSWORD_TOO_LONG');
      assert.equal(await signsIn(email, PASSWORD), true);
      ok(await change(PASSWORD, 'x'.repeat(128)));
      assert.equal(await signsIn(email, 'x'.repeat(128)), true);
    });

    test('listAccounts shows the password', async () => {
      const { client, data } = await account();
      const [only, ...others] = ok(await client.listAccounts());
      assert.deepEqual(others, []);
      assert.deepEqual(Object.keys(only), ['accountId', 'providerId', 'userId', 'createdAt', 'updatedAt', 'id', 'scopes']);
      assert.deepEqual([only.providerId, only.accountId, only.userId, only.scopes], ['credential', data.user.id, data.user.id, []]);
    });

    test('a forgotten password: the mail, its link, the new password', async () => {
      const { client, email, token } = await account();
      const request = client.requestPasswordReset ?? client.forgetPassword;
      assert.deepEqual(ok(await request({ email, redirectTo: `${FRONTEND}/reset` })), RESET_ANSWER);
      const mail = await resetMail(email);
      assert.equal(mail.from, 'no-reply@example.com');
      assert.equal(mail.subject, 'Reset your Sokuji password');
      const followed = await follow(mail);
      const page = new URL(followed.headers.get('location'));
      assert.equal(followed.headers.get('referrer-policy'), 'no-referrer');

      assert.deepEqual(ok(await client.resetPassword({ newPassword: NEW_PASSWORD, token: page.searchParams.get('token') })), { status: true });
      assert.equal(await signsIn(email, NEW_PASSWORD), true);
      assert.equal(await signsIn(email, PASSWORD), false);
      assert.equal(await alive(token()), false, 'a reset ends all sessions');
      refused(await client.resetPassword({ newPassword: PASSWORD, token: page.searchParams.get('token') }), 400, 'INVALID_TOKEN');
      const again = await follow(mail);
      assert.equal(again.headers.get('location'), `${FRONTEND}/reset?error=INVALID_TOKEN`);
    });

    test('sendVerificationEmail and its link, with and without a callbackURL', async () => {
      const { client, email, token } = await account();
      assert.deepEqual(ok(await client.sendVerificationEmail({ email, callbackURL: `${FRONTEND}/welcome` })), { status: true });
      const followed = await follow(await verifyMail(email));
      assert.equal(followed.status, 302);
      assert.equal(followed.headers.get('location'), `${FRONTEND}/welcome`);
      const { user } = ok(await client.getSession());
      assert.equal(user.emailVerified, true);
      assert.equal(await alive(token()), true, 'verifying ends no session');
      refused(await client.sendVerificationEmail({ email }), 400, 'EMAIL_ALREADY_VERIFIED');
      refused(await client.sendVerificationEmail({ email: newEmail() }), 400, 'EMAIL_MISMATCH');
    });

    test('verifyEmail takes the token of the mail', async () => {
      const { client, email } = await account();
      ok(await client.sendVerificationEmail({ email }));
      const token = new URL((await verifyMail(email)).links[0]).searchParams.get('token');
      const answer = ok(await client.verifyEmail({ query: { token } }));
      assert.deepEqual(answer, { status: true, user: null });
      refused(await client.verifyEmail({ query: { token: 'bogus' } }), 401, 'INVALID_TOKEN');
    });

    test('changeEmail of an unverified address asks the new one', async () => {
      const { client, email, token } = await account();
      const next = newEmail();
      assert.deepEqual(ok(await client.changeEmail({ newEmail: next, callbackURL: '/done' })), { status: true });
      const followed = await follow(await changeMail(next));
      assert.equal(followed.headers.get('location'), '/done');
      assert.equal(await signsIn(next, PASSWORD), true);
      assert.equal(await signsIn(email, PASSWORD), false);
      assert.equal(await alive(token()), false, "PocketBase's token key is new");
      await smtp.noMail(email);
      refused(await client.changeEmail({ newEmail: next }), 401, 'UNAUTHORIZED');
    });

    test('changeEmail of a verified address asks the old one first, then the new one', async () => {
      const here = await account();
      await verified(here);
      const next = newEmail();
      ok(await here.client.changeEmail({ newEmail: next, callbackURL: '/done' }));
      const first = await changeMail(here.email);
      await smtp.noMail(next);
      assert.equal((await follow(first)).headers.get('location'), '/done');
      assert.equal(await signsIn(next, PASSWORD), false, 'nothing has changed yet');
      const second = await changeMail(next);
      await follow(second);
      assert.equal(await signsIn(next, PASSWORD), true);
      const again = await follow(second);
      assert.equal(again.headers.get('location'), '/done?error=INVALID_TOKEN');
    });

    test('deleteUser by a young session, and by the password', async () => {
      const young = await account();
      assert.deepEqual(ok(await young.client.deleteUser()), { success: true, message: 'User deleted' });
      assert.equal(await alive(young.token()), false);
      assert.equal(await signsIn(young.email, PASSWORD), false);

      const other = await account();
      refused(await other.client.deleteUser({ password: 'wrong-password' }), 400, 'INVALID_PASSWORD');
      ok(await other.client.deleteUser({ password: PASSWORD }));
      assert.equal(await signsIn(other.email, PASSWORD), false);
    });

    test('rememberMe false: cookies that end with the browser, gone at sign-out', async () => {
      const { email } = await account();
      const { client, jar } = cookieClient(createAuthClient, server.url, FRONTEND);
      ok(await client.signIn.email({ email, password: PASSWORD, rememberMe: false }));
      assert.deepEqual([...jar.keys()].sort(), ['better-auth.dont_remember', 'better-auth.session_token']);
      ok(await client.updateUser({ name: 'Ada L' }));
      assert.equal(jar.size, 2, 'the mark stays');
      ok(await client.signOut());
      assert.equal(jar.size, 0);
      ok(await client.signIn.email({ email, password: PASSWORD, rememberMe: false }));
      ok(await client.signIn.email({ email, password: PASSWORD }));
      assert.deepEqual([...jar.keys()], ['better-auth.session_token'], 'a sign-in that is to be remembered takes the mark away');
    });
  });
}

describe('the wire of accounts', () => {
  test("rememberMe false: the mark is the library's, signed, without Max-Age", async () => {
    const user = await newUser(server);
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: PASSWORD, rememberMe: false } });
    const [session, mark, ...others] = answer.headers.getSetCookie();
    assert.deepEqual(others, []);
    assert.match(session, /^better-auth\.session_token=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.match(mark, /^better-auth\.dont_remember=true\.[A-Za-z0-9%]+%3D; Path=\/; HttpOnly; SameSite=Lax$/);
    const day = 24 * 60 * 60 * 1000;
    const { expiresAt } = (await call(server, 'GET', '/api/auth/get-session', { token: answer.body.token })).body.session;
    assert.ok(Date.parse(expiresAt) - Date.now() <= day);
  });

  test("without redirectTo the mail leads to PocketBase's page, and its token is good on both roads", async () => {
    const user = await newUser(server);
    await call(server, 'POST', '/api/auth/forget-password', { body: { email: user.email } });
    const [link] = (await resetMail(user.email)).links;
    const page = `${server.url}/_/#/auth/confirm-password-reset/`;
    assert.ok(link.startsWith(page), link);
    await sdk(server).collection('users').confirmPasswordReset(link.slice(page.length), NEW_PASSWORD, NEW_PASSWORD);
    assert.equal(await signsIn(user.email, NEW_PASSWORD), true);
  });

  test("a mail that PocketBase's road asked for is PocketBase's", async () => {
    const user = await newUser(server);
    await sdk(server).collection('users').requestVerification(user.email);
    const [link] = (await verifyMail(user.email)).links;
    assert.ok(link.startsWith(`${server.url}/_/#/auth/confirm-verification/`), link);
  });

  test("an admin's template holds: text, subject and a link of their own", async () => {
    const users = await root.collections.getOne('users');
    const change = (subject, body) => root.collections.update('users', { resetPasswordTemplate: { subject, body } });
    try {
      await change('Hey {RECORD:name}', users.resetPasswordTemplate.body.replace('Hello,', 'Good day,'));
      const user = await newUser(server);
      const ask = (redirectTo) => call(server, 'POST', '/api/auth/request-password-reset', { body: { email: user.email, redirectTo } });
      await ask('/reset');
      const mail = await smtp.waitForMail(user.email, { subject: 'Hey Ada' });
      assert.match(mail.html, /Good day,/);
      assert.match(mail.links[0], /\/api\/auth\/reset-password\/[^/?]+\?callbackURL=%2Freset$/);

      await change('Mine', '<a href="https://app.example/reset?t={TOKEN}">here</a>');
      await ask('/reset');
      const own = await smtp.waitForMail(user.email, { subject: 'Mine' });
      assert.match(own.links[0], /^https:\/\/app\.example\/reset\?t=[\w-]+\.[\w-]+\.[\w-]+$/);
      const token = new URL(own.links[0]).searchParams.get('t');
      const answer = await call(server, 'POST', '/api/auth/reset-password', { body: { newPassword: NEW_PASSWORD, token } });
      assert.deepEqual(answer.body, { status: true });
    } finally {
      await change(users.resetPasswordTemplate.subject, users.resetPasswordTemplate.body);
    }
  });

  test('a token in the query of reset-password counts too', async () => {
    const user = await newUser(server);
    const token = await resetToken(user.email);
    const answer = await call(server, 'POST', `/api/auth/reset-password?token=${token}`, { body: { newPassword: NEW_PASSWORD } });
    assert.deepEqual(answer.body, { status: true });
  });

  test('the request log keeps no token of a link', async () => {
    const user = await newUser(server);
    const token = await resetToken(user.email);
    let rows = [];
    for (let tries = 0; tries < 50 && rows.length === 0; tries++) {
      await new Promise((done) => { setTimeout(done, 200); });
      rows = (await root.logs.getList(1, 200, { filter: 'data.url ~ "reset-password"' })).items;
    }
    assert.ok(rows.length > 0, 'the request is in the log');
    assert.ok(!JSON.stringify(rows).includes(token));
  });
});

describe('a deleted user', () => {
  for (const [who, remove] of [
    ['by delete-user', (user) => call(server, 'POST', '/api/auth/delete-user', { token: user.token, body: {} })],
    ["by the user, on PocketBase's road", async (user) => (await sdkFor(server, user)).collection('users').delete(user.id)],
    ['by a superuser', (user) => root.collection('users').delete(user.id)],
  ]) {
    test(`${who}: keys and sessions end, the wallet is closed, the ledger stays`, async () => {
      const user = await newUser(server);
      await mint(server, root, user, 1_000);
      const { apiKey } = (await call(server, 'GET', '/api/user/api-key', { token: user.token })).body;
      const held = await call(server, 'POST', '/api/wallet/holds', { token: root.authStore.token, body: { userId: user.id, amount: 100 } });
      assert.equal(held.status, 201, held.text);
      const pocketBase = await sdkFor(server, user);
      const answer = await remove(user);
      if (answer?.status) assert.deepEqual(answer.body, { success: true, message: 'User deleted' });

      assert.equal(await alive(user.token), false);
      await assert.rejects(pocketBase.collection('users').authRefresh());
      assert.equal((await call(server, 'GET', '/api/wallet/balance', { token: apiKey })).status, 401);
      assert.equal(await signsIn(user.email, PASSWORD), false);

      const wallet = await root.collection('wallets').getOne(user.id);
      assert.deepEqual([wallet.frozen, wallet.frozen_reason, wallet.balance_tokens], [true, 'deleted', 1_000]);
      const use = await call(server, 'POST', '/api/wallet/use', { token: root.authStore.token, body: { userId: user.id, amount: 1 } });
      assert.equal(use.body.code, 'wallet_frozen');
      const settled = await call(server, 'POST', `/api/wallet/holds/${held.body.hold.id}/settle`, { token: root.authStore.token, body: { amount: 60 } });
      assert.equal(settled.status, 200, settled.text);
      await mint(server, root, user, 5);
      assert.equal((await root.collection('wallets').getOne(user.id)).frozen, true, 'a mint does not open it');

      const ledger = await root.collection('wallet_ledger').getFullList({ filter: `subject_id = "${user.id}"`, sort: 'seq' });
      assert.deepEqual(ledger.map((entry) => entry.amount_tokens), [1_000, -60, 5]);
      assert.ok(!JSON.stringify(ledger).includes(user.email));
      for (const [collection, column] of [['app_user', 'better_auth_user_id'], ['entitlements', 'subject_id'], ['sessions', 'user'], ['api_keys', 'user'], ['memberships', 'user']]) {
        const left = await root.collection(collection).getFullList({ filter: `${column} = "${user.id}"` });
        assert.deepEqual(left, [], collection);
      }
      const audit = await root.collection('audit_log').getFullList({ filter: `subject_id = "${user.id}" && action ~ "freeze"` });
      assert.equal(audit.length, 1);
      assert.equal(audit[0].reason, 'deleted');
      assert.equal(audit[0].actor, who === 'by a superuser' ? `superuser:${root.authStore.record.id}` : `user:${user.id}`);

      const again = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: 'Ada', email: user.email, password: PASSWORD } });
      assert.equal(again.status, 200, 'the address is free again');
      assert.equal((await call(server, 'GET', '/api/wallet/balance', { token: again.body.token })).body.balance, 0);
    });
  }
});
