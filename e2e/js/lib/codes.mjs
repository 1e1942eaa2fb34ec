// One-time codes out of mails.
import { call } from './http.mjs';

/** The six digits of the newest code mail to an address. `after` skips that many older mails. */
export async function codeIn(smtp, email, after = 0) {
  const mail = await smtp.waitForMail(email, { after });
  const code = /\b(\d{6})\b/.exec(mail.text)?.[1];
  if (!code) throw new Error(`no code in the mail to ${email}: ${mail.text}`);
  return code;
}

/** Asks for a code by the wire and returns it out of the mail. */
export async function mailedCode(server, smtp, email, type) {
  const before = smtp.mails().filter((mail) => mail.to.includes(email)).length;
  const answer = await call(server, 'POST', '/api/auth/email-otp/send-verification-otp', { body: { email, type } });
  if (answer.status !== 200) throw new Error(`send-verification-otp: ${answer.text}`);
  return codeIn(smtp, email, before);
}

/** A code of the same form that is not this one. */
export const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
