// One server with a real mail server behind it, and what a test of accounts does with the two.
import assert from 'node:assert/strict';
import { call } from './http.mjs';
import { sdk, superuser } from './people.mjs';
import { FRONTEND, startServer } from './server.mjs';
import { startSMTP, useSMTP } from './smtp.mjs';

export const NEW_PASSWORD = 'another-horse-battery';
export const RESET_ANSWER = { status: true, message: 'If this email exists in our system, check your email for the reset link' };

/** { server, smtp, root, stop } and the helpers below, bound to them. */
export async function startAccounts() {
  const smtp = await startSMTP();
  const server = await startServer();
  const root = await superuser(server);
  await useSMTP(root, smtp);
  await root.settings.update({ meta: { appURL: server.url } });

  /** Whether a password opens an account; both roads must agree. */
  async function signsIn(email, password) {
    const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email, password } });
    assert.ok([200, 401].includes(answer.status), answer.text);
    const other = await sdk(server).collection('users').authWithPassword(email, password).then(() => 200, () => 401);
    assert.equal(answer.status, other, 'both roads agree on a password');
    return answer.status === 200;
  }

  const alive = async (token) => (await call(server, 'GET', '/api/auth/get-session', { token })).body !== null;

  /** Follows the only link of a mail, as a browser does: its answer. */
  async function follow(mail, headers = {}) {
    assert.equal(mail.links.length, 1, mail.links.join(' '));
    const link = new URL(mail.links[0]);
    assert.equal(link.origin, server.url, 'the link leads to this server');
    return call(server, 'GET', link.pathname + link.search, { headers });
  }

  const resetMail = (email) => smtp.waitForMail(email, { subject: /reset/i });
  const verifyMail = (email) => smtp.waitForMail(email, { subject: /verify/i });
  const changeMail = (email) => smtp.waitForMail(email, { subject: /confirm/i });

  /** A reset token out of a mail, taken the way a page gets it. */
  async function resetToken(email) {
    const before = smtp.mails().filter((mail) => mail.to.includes(email)).length;
    const asked = await call(server, 'POST', '/api/auth/request-password-reset', { body: { email, redirectTo: `${FRONTEND}/reset?x=1#top` } });
    assert.deepEqual(asked.body, RESET_ANSWER);
    const followed = await follow(await smtp.waitForMail(email, { after: before }));
    assert.equal(followed.status, 302);
    const page = new URL(followed.headers.get('location'));
    assert.equal(`${page.origin}${page.pathname}${page.hash}`, `${FRONTEND}/reset#top`);
    assert.equal(page.searchParams.get('x'), '1');
    return page.searchParams.get('token');
  }

  /** Makes a user's address a verified one, the way a user does. */
  async function verified(user) {
    await call(server, 'POST', '/api/auth/send-verification-email', { body: { email: user.email } });
    assert.equal((await follow(await verifyMail(user.email))).status, 302);
    return user;
  }

  async function stop() {
    await server.stop();
    await smtp.close();
  }
  return { server, smtp, root, stop, signsIn, alive, follow, resetMail, verifyMail, changeMail, resetToken, verified };
}
