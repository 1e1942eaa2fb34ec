// Codes by mail, with Better Auth's own client and its emailOTPClient plugin, the mails read from a real SMTP server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAuthClient as createNewest } from 'better-auth/client';
import { emailOTPClient as otpNewest, oneTimeTokenClient as ottNewest } from 'better-auth/client/plugins';
import { createAuthClient as create143 } from 'better-auth-1.4.3/client';
import { emailOTPClient as otp143, oneTimeTokenClient as ott143 } from 'better-auth-1.4.3/client/plugins';
import { codeIn, mailedCode, wrong } from '../lib/codes.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD, superuser } from '../lib/people.mjs';
import { FRONTEND, startServer } from '../lib/server.mjs';
import { startSMTP, useSMTP } from '../lib/smtp.mjs';

let server;
let smtp;
let root;
before(async () => {
  [server, smtp] = await Promise.all([startServer(), startSMTP()]);
  root = await superuser(server);
  await useSMTP(root, smtp);
});
after(async () => {
  await server?.stop();
  await smtp?.close();
});

function ok({ data, error }) {
  assert.equal(error, null, JSON.stringify(error));
  return data;
}

function refused({ data, error }, status, code) {
  assert.equal(data, null);
  assert.deepEqual({ status: error?.status, code: error?.code }, { status, code });
}

for (const [version, createAuthClient, plugins] of [['newest', createNewest, [otpNewest, ottNewest]], ['1.4.3', create143, [otp143, ott143]]]) {
  describe(`Better Auth client ${version}`, () => {
    /** The Sokuji app's client: a bearer token and the two plugins. */
    function app() {
      let token = '';
      return createAuthClient({
        baseURL: server.url,
        plugins: plugins.map((plugin) => plugin()),
        fetchOptions: {
          auth: { type: 'Bearer', token: () => token },
          onSuccess: ({ response }) => { token = response.headers.get('set-auth-token') ?? token; },
        },
      });
    }

    async function account() {
      const client = app();
      const email = newEmail();
      const { user } = ok(await client.signUp.email({ name: 'Ada', email, password: PASSWORD }));
      return { client, email, user };
    }

    test('a new address signs up by a code, and signs in by the next', async () => {
      const email = newEmail();
      const client = app();
      assert.deepEqual(ok(await client.emailOtp.sendVerificationOtp({ email, type: 'sign-in' })), { success: true });
      const up = ok(await client.signIn.emailOtp({ email, otp: await codeIn(smtp, email), name: 'Grace' }));
      assert.equal(up.user.email, email);
      assert.equal(up.user.name, 'Grace');
      assert.equal(up.user.emailVerified, true);
      assert.match(up.token, /^[A-Za-z0-9]{32}$/);
      assert.equal(ok(await client.getSession()).user.id, up.user.id);

      const other = app();
      ok(await other.emailOtp.sendVerificationOtp({ email: email.toUpperCase(), type: 'sign-in' }));
      const back = ok(await other.signIn.emailOtp({ email: email.toUpperCase(), otp: await codeIn(smtp, email, 1) }));
      assert.equal(back.user.id, up.user.id);
      assert.notEqual(back.token, up.token);
      assert.equal(ok(await client.getSession()).user.id, up.user.id, 'the first session lives on');
    });

    test('verify-email: the address counts as verified, and the session goes on', async () => {
      const { client, email, user } = await account();
      ok(await client.emailOtp.sendVerificationOtp({ email, type: 'email-verification' }));
      const otp = await codeIn(smtp, email);
      refused(await client.emailOtp.verifyEmail({ email, otp: wrong(otp) }), 400, 'INVALID_OTP');
      const answer = ok(await client.emailOtp.verifyEmail({ email, otp }));
      assert.equal(answer.status, true);
      assert.equal(answer.token, null);
      assert.equal(answer.user.id, user.id);
      assert.equal(ok(await client.getSession()).user.emailVerified, true);
      ok(await app().signIn.email({ email, password: PASSWORD }));
    });

    test('reset-password: checked, spent once, and the old password and session are over', async () => {
      const { client, email } = await account();
      ok(await client.emailOtp.sendVerificationOtp({ email, type: 'forget-password' }));
      const otp = await codeIn(smtp, email);
      assert.equal(ok(await client.emailOtp.checkVerificationOtp({ email, type: 'forget-password', otp })).success, true);
      assert.deepEqual(ok(await client.emailOtp.resetPassword({ email, otp, password: 'new-password-123' })), { success: true });
      refused(await client.emailOtp.resetPassword({ email, otp, password: 'new-password-456' }), 400, 'INVALID_OTP');
      refused(await app().signIn.email({ email, password: PASSWORD }), 401, 'INVALID_EMAIL_OR_PASSWORD');
      assert.equal(ok(await client.getSession()), null);
      ok(await app().signIn.email({ email, password: 'new-password-123' }));
    });

    test('the other names of asking for a reset', async () => {
      const { client, email } = await account();
      const ask = version === 'newest' ? client.emailOtp.requestPasswordReset : client.forgetPassword.emailOtp;
      assert.deepEqual(ok(await ask({ email })), { success: true });
      ok(await client.emailOtp.resetPassword({ email, otp: await codeIn(smtp, email), password: 'new-password-123' }));
    });

    test('three wrong codes end the right one', async () => {
      const { client, email } = await account();
      ok(await client.emailOtp.sendVerificationOtp({ email, type: 'sign-in' }));
      const otp = await codeIn(smtp, email);
      for (let i = 0; i < 3; i++) refused(await client.signIn.emailOtp({ email, otp: wrong(otp) }), 400, 'INVALID_OTP');
      refused(await client.signIn.emailOtp({ email, otp }), 403, 'TOO_MANY_ATTEMPTS');
      refused(await client.signIn.emailOtp({ email, otp }), 400, 'INVALID_OTP');
    });

    test('what the Sokuji app calls, in its order', async () => {
      const client = app();
      const email = newEmail();
      ok(await client.signUp.email({ name: 'Ada', email, password: PASSWORD }));
      ok(await client.signOut());
      ok(await client.signIn.email({ email, password: PASSWORD }));
      ok(await client.emailOtp.sendVerificationOtp({ email, type: 'email-verification' }));
      ok(await client.emailOtp.verifyEmail({ email, otp: await codeIn(smtp, email) }));
      assert.equal(ok(await client.getSession()).user.email, email);
      const { token } = ok(await client.oneTimeToken.generate());
      const page = await fetch(`${server.url}/api/ott/verify?token=${token}&redirect=${encodeURIComponent(`${FRONTEND}/home`)}`, { redirect: 'manual' });
      assert.equal(page.status, 302);
      assert.equal(page.headers.get('location'), `${FRONTEND}/home`);
    });
  });
}

describe('attacks', () => {
  const signIn = (email, otp, headers) => call(server, 'POST', '/api/auth/sign-in/email-otp', { body: { email, otp }, headers });

  test('50 guesses at once: three count, and the code is dead', async () => {
    const { email } = await newUser(server);
    const otp = await mailedCode(server, smtp, email, 'sign-in');
    const guesses = await Promise.all(Array.from({ length: 50 }, (_, i) => signIn(email, `x${String(i).padStart(5, '0')}`)));
    assert.equal(guesses.filter(({ status }) => status === 403).length, 1);
    assert.equal(guesses.filter(({ status }) => status === 400).length, 49);
    assert.equal((await signIn(email, otp)).body.code, 'INVALID_OTP');
  });

  test('of 20 uses of one code at once, one signs in', async () => {
    const email = newEmail();
    const otp = await mailedCode(server, smtp, email, 'sign-in');
    const uses = await Promise.all(Array.from({ length: 20 }, () => signIn(email, otp)));
    assert.equal(uses.filter(({ status }) => status === 200).length, 1, uses.map(({ text }) => text).join('\n'));
  });

  test('an unknown address gets the same answers, and no mail for what it has no use for', async () => {
    const { email } = await newUser(server);
    const stranger = newEmail();
    for (const [type, path, more] of [['email-verification', 'email-otp/verify-email', {}], ['forget-password', 'email-otp/reset-password', { password: PASSWORD }], ['sign-in', 'sign-in/email-otp', {}]]) {
      const seen = [];
      for (const address of [email, stranger]) {
        const answers = [await call(server, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email: address, type } })];
        for (let i = 0; i < 5; i++) answers.push(await call(server, 'POST', `/api/auth/${path}`, { body: { email: address, otp: 'x', ...more } }));
        seen.push(answers.map(({ status, text }) => `${status} ${text}`));
      }
      assert.deepEqual(seen[0], seen[1]);
      if (type !== 'sign-in') await smtp.noMail(stranger);
    }
  });

  test('an address cannot smuggle a header or a second recipient in', async () => {
    const before = smtp.mails().length;
    for (const email of ['a@example.com\r\nBcc: thief@example.com', 'a@example.com\nBcc: thief@example.com', 'a@example.com>\r\nRCPT TO:<thief@example.com', '"a\r\nBcc: thief@example.com"@example.com', 'a@example.com, thief@example.com', 'a@example.com\u2028Bcc: thief@example.com']) {
      const answer = await call(server, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email, type: 'sign-in' } });
      assert.equal(answer.body.code, 'INVALID_EMAIL', JSON.stringify(email));
    }
    await smtp.noMail('thief@example.com');
    assert.equal(smtp.mails().length, before);
  });

  test('a name cannot smuggle a header in, even through an admin\'s subject', async () => {
    const users = await root.collections.getOne('users');
    await root.collections.update('users', {
      otp: { ...users.otp, emailTemplate: { subject: 'A code for {RECORD:name}', body: '<p>{RECORD:name}: <b>{OTP}</b></p>' } },
    });
    try {
      const evil = await newUser(server, 'Eve\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script>');
      await mailedCode(server, smtp, evil.email, 'sign-in');
      const mail = await smtp.waitForMail(evil.email);
      assert.deepEqual(mail.to, [evil.email]);
      assert.equal(mail.headers.bcc, undefined);
      assert.match(mail.subject, /^A code for Eve/);
      assert.ok(!mail.html.includes('<script>'), mail.html);
      await smtp.noMail('thief@example.com');
    } finally {
      await root.collections.update('users', { otp: users.otp });
    }
  });

  test('codes are in no log and in no answer', async () => {
    const { email } = await newUser(server);
    const otp = await mailedCode(server, smtp, email, 'sign-in');
    await signIn(email, otp);
    assert.ok(!server.output().includes(otp));
    const logs = await root.logs.getList(1, 200);
    assert.ok(!JSON.stringify(logs.items.map(({ message, data }) => ({ message, data }))).includes(`"${otp}"`));
  });

  test('an admin switches sign-in by code off where PocketBase has the switch', async () => {
    const users = await root.collections.getOne('users');
    await root.collections.update('users', { otp: { ...users.otp, enabled: false } });
    try {
      const { email } = await newUser(server);
      assert.equal((await signIn(email, '000000')).body.code, 'EMAIL_OTP_DISABLED');
      assert.equal((await call(server, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email, type: 'sign-in' } })).status, 200);
      await smtp.noMail(email);
    } finally {
      await root.collections.update('users', { otp: users.otp });
    }
  });
});

test('three codes a minute, then 429 with X-Retry-After; three sign-ins in ten seconds', async () => {
  const strict = await startServer({ env: { AUTH_RATE_LIMIT: '3' } });
  try {
    for (const [path, body, most] of [
      ['email-otp/send-verification-otp', () => ({ email: newEmail(), type: 'sign-in' }), 60],
      ['sign-in/email-otp', () => ({ email: newEmail(), otp: '000000' }), 10],
      ['email-otp/verify-email', () => ({ email: newEmail(), otp: '000000' }), 60],
    ]) {
      for (let i = 0; i < 3; i++) assert.notEqual((await call(strict, 'POST', `/api/auth/${path}`, { body: body() })).status, 429);
      const answer = await call(strict, 'POST', `/api/auth/${path}`, { body: body() });
      assert.equal(answer.status, 429, answer.text);
      assert.deepEqual(answer.body, { message: 'Too many requests. Please try again later.' });
      const seconds = Number(answer.headers.get('x-retry-after'));
      assert.ok(seconds >= 1 && seconds <= most, `${path}: ${seconds}`);
    }
  } finally {
    await strict.stop();
  }
});

test('without a mail server the answer is the same, the log says so, and the code is not in it', async () => {
  const mute = await startServer();
  try {
    assert.match(mute.output(), /No mail server is set/);
    const { email } = await newUser(mute);
    for (const address of [email, newEmail()]) {
      const answer = await call(mute, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email: address, type: 'sign-in' } });
      assert.deepEqual([answer.status, answer.body], [200, { success: true }]);
    }
    const pb = await superuser(mute);
    for (let i = 0; ; i++) { // the log is written every three seconds
      const logs = await pb.logs.getList(1, 500, { filter: 'message = "A mail was not sent"' });
      if (logs.totalItems === 2) {
        for (const { data } of logs.items) assert.ok(!/\b\d{6}\b/.test(data.error), data.error);
        break;
      }
      assert.ok(i < 40, `${logs.totalItems} failed mails are in the log`);
      await new Promise((resolve) => { setTimeout(resolve, 250); });
    }
  } finally {
    await mute.stop();
  }
});
