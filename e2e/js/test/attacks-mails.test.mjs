// Attacks on mails: names, addresses and links that would be headers, recipients or pages.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startAccounts } from '../lib/accounts.mjs';
import { call } from '../lib/http.mjs';
import { newEmail, newUser, PASSWORD, signIn } from '../lib/people.mjs';
import { FRONTEND } from '../lib/server.mjs';

let house, server, smtp, root;
before(async () => {
  house = await startAccounts();
  ({ server, smtp, root } = house);
});
after(() => house?.stop());

describe('mails', () => {
  const EVIL = 'Eve\r\nBcc: thief@example.com\r\nSubject: mine\r\n\r\n<img src=x onerror=alert(1)><script>alert(2)</script> {RECORD:tokenKey}{TOKEN}{OTP}{APP_URL}';
  let restore;
  before(async () => {
    const users = await root.collections.getOne('users');
    const kept = { otp: users.otp, authAlert: users.authAlert, resetPasswordTemplate: users.resetPasswordTemplate, verificationTemplate: users.verificationTemplate, confirmEmailChangeTemplate: users.confirmEmailChangeTemplate };
    restore = () => root.collections.update('users', kept);
    const greeting = (template) => ({ subject: 'For {RECORD:name} at {RECORD:image}', body: `<p>{RECORD:name}</p><p title="{RECORD:name}">{RECORD:image}</p>${template.body}` });
    await root.collections.update('users', {
      otp: { ...kept.otp, enabled: true, emailTemplate: greeting(kept.otp.emailTemplate) },
      authAlert: { enabled: true, emailTemplate: greeting(kept.authAlert.emailTemplate) },
      resetPasswordTemplate: greeting(kept.resetPasswordTemplate), verificationTemplate: greeting(kept.verificationTemplate), confirmEmailChangeTemplate: greeting(kept.confirmEmailChangeTemplate),
    });
  });
  after(() => restore?.());

  async function eve() {
    const email = newEmail();
    const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name: EVIL, image: EVIL, email, password: PASSWORD } });
    assert.equal(answer.status, 200, answer.text);
    const user = { id: answer.body.user.id, email, password: PASSWORD, tokenKey: randomBytes(30).toString('hex') };
    await root.collection('users').update(user.id, { tokenKey: user.tokenKey });
    return { ...user, token: await signIn(server, user) };
  }

  const KINDS = {
    'password reset': (user) => call(server, 'POST', '/api/auth/request-password-reset', { body: { email: user.email, redirectTo: '/r' } }),
    verification: (user) => call(server, 'POST', '/api/auth/send-verification-email', { body: { email: user.email, callbackURL: '/v' } }),
    'a code': (user) => call(server, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email: user.email, type: 'sign-in' } }),
    'PocketBase’s password reset': (user) => call(server, 'POST', '/api/collections/users/request-password-reset', { body: { email: user.email } }),
    'PocketBase’s verification': (user) => call(server, 'POST', '/api/collections/users/request-verification', { body: { email: user.email } }),
    'PocketBase’s code': (user) => call(server, 'POST', '/api/collections/users/request-otp', { body: { email: user.email } }),
    'a change of address': async (user) => {
      const next = newEmail();
      const answer = await call(server, 'POST', '/api/auth/change-email', { token: user.token, body: { newEmail: next } });
      user.email = next;
      return answer;
    },
    'PocketBase’s warning of a sign-in': async (user) => {
      const headers = (agent) => ({ 'User-Agent': agent, 'X-Forwarded-For': '<img src=x>' });
      const signIn = (agent) => call(server, 'POST', '/api/collections/users/auth-with-password', { headers: headers(agent), body: { identity: user.email, password: PASSWORD } });
      await signIn('first');
      return signIn('<img src=x onerror=alert(1)><script>alert(2)</script>');
    },
  };
  for (const [kind, ask] of Object.entries(KINDS)) {
    test(`${kind}: a name is text, in its head and in its body`, async () => {
      const user = await eve();
      const answer = await ask(user);
      assert.ok(answer.status < 300, answer.text);
      const mail = await smtp.waitForMail(user.email);
      assert.deepEqual(mail.to, [user.email]);
      assert.deepEqual([mail.headers.bcc, mail.headers.subject.length, mail.headers.from.length], [undefined, 1, 1]);
      assert.match(mail.subject, /^For Eve/);
      assert.doesNotMatch(mail.html, /<script|<img|title="[^"]*</i, 'a name is no HTML');
      assert.ok(![mail.subject, mail.html, mail.text].some((part) => part.includes(user.tokenKey)), 'nor a template');
      await smtp.noMail('thief@example.com', 50);
    });
  }

  test('an address to come back to is text too, in a mail’s link', async () => {
    const user = await newUser(server);
    for (const [path, field, address] of [
      ['request-password-reset', 'redirectTo', `${FRONTEND}/"><script>alert(1)</script><a href="https://evil.example`], ['send-verification-email', 'callbackURL', `/'"><img src=x onerror=alert(1)>`],
    ]) {
      const before = smtp.mails().length;
      const answer = await call(server, 'POST', `/api/auth/${path}`, { body: { email: user.email, [field]: address } });
      if (answer.status !== 200) {
        assert.ok([400, 403].includes(answer.status), answer.text);
        continue;
      }
      const mail = await smtp.waitForMail(user.email, { after: smtp.mails().slice(0, before).filter(({ to }) => to.includes(user.email)).length });
      assert.doesNotMatch(mail.html, /<script|<img|href="https:\/\/evil/, path);
      assert.ok(mail.links.every((link) => new URL(link).origin === server.url), mail.links.join(' '));
    }
  });

  test('no field of an address or a code request brings a second recipient', async () => {
    for (const email of ['a@example.com\r\nBcc: thief@example.com', 'a@example.com,thief@example.com', 'a@example.com;thief@example.com', '<thief@example.com>', 'a@example.com> RCPT TO:<thief@example.com', 'thief@example.com\r\nDATA', ['a@example.com', 'thief@example.com'], { email: 'thief@example.com' }]) {
      for (const [path, body] of [
        ['/api/auth/sign-up/email', { name: 'Eve', email, password: PASSWORD }], ['/api/auth/request-password-reset', { email }], ['/api/auth/forget-password/email-otp', { email }], ['/api/auth/email-otp/request-password-reset', { email }],
        ['/api/collections/users/request-password-reset', { email }], ['/api/collections/users/request-verification', { email }], ['/api/collections/users/request-otp', { email }],
        ['/api/collections/users/records', { email, password: PASSWORD, passwordConfirm: PASSWORD }],
      ]) {
        const answer = await call(server, 'POST', path, { body });
        assert.equal(answer.status, 400, `${path} ${JSON.stringify(email)}: ${answer.status} ${answer.text}`);
      }
    }
    await smtp.noMail('thief@example.com');
  });
});
