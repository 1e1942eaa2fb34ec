// What the tests of attacks share: the routes that act for whoever is signed in, and what strangers write where.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { call } from './http.mjs';
import { PASSWORD } from './people.mjs';
import { FRONTEND } from './server.mjs';

const NEW_PASSWORD = 'another-horse-battery';

/** Better Auth's routes that act for a signed-in user: [method, path, body]. They answer a guest 401. */
export const SIGNED_IN_ROUTES = [
  ['GET', '/api/auth/list-sessions'],
  ['GET', '/api/auth/list-accounts'],
  ['GET', '/api/auth/one-time-token/generate'],
  ['POST', '/api/auth/revoke-session', { token: 'x' }],
  ['POST', '/api/auth/revoke-sessions', {}],
  ['POST', '/api/auth/revoke-other-sessions', {}],
  ['POST', '/api/auth/update-user', { name: 'Eve' }],
  ['POST', '/api/auth/change-password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }],
  ['POST', '/api/auth/change-email', { newEmail: 'eve@example.com' }],
  ['POST', '/api/auth/delete-user', { password: PASSWORD }],
];

/** The routes that open a session, or say who one is, to whoever asks; they take no caller. */
export const OPEN_ROUTES = [
  ['POST', '/api/auth/sign-up/email'], ['POST', '/api/auth/sign-up'], ['POST', '/api/auth/sign-in/email'], ['POST', '/api/auth/sign-out'],
  ['GET', '/api/auth/get-session'], ['GET', '/api/auth/session'], ['GET', '/api/auth/ok'], ['GET', '/api/auth/error'],
  ['POST', '/api/auth/sign-in/email-otp'], ['POST', '/api/auth/email-otp/send-verification-otp'],
  ['POST', '/api/auth/email-otp/check-verification-otp'], ['POST', '/api/auth/email-otp/verify-email'],
  ['POST', '/api/auth/email-otp/request-password-reset'], ['POST', '/api/auth/forget-password/email-otp'],
  ['POST', '/api/auth/email-otp/reset-password'], ['POST', '/api/auth/one-time-token/verify'],
  ['POST', '/api/auth/sign-in/social'], ['GET', '/api/auth/callback/{provider}'],
  ['POST', '/api/auth/request-password-reset'], ['POST', '/api/auth/forget-password'],
  ['GET', '/api/auth/reset-password/{token}'], ['POST', '/api/auth/reset-password'],
  ['POST', '/api/auth/send-verification-email'], ['GET', '/api/auth/verify-email'],
];

/** "METHOD /path" of every route of Better Auth's that the server registers, out of its source. */
export function authRoutesOfTheServer() {
  const source = readFileSync(new URL('../../../hooks/routes.go', import.meta.url), 'utf8');
  return [...source.matchAll(/\bauth\.(GET|POST|PATCH|PUT|DELETE)\("([^"]+)"/g)]
    .map(([, method, path]) => `${method} /api/auth${path}`)
    .filter((route) => !route.includes('{path...}'));
}

/** Addresses on another host, as those who look for an open redirect write them. */
export const ELSEWHERE = [
  'https://evil.example/x', '//evil.example', '/\\evil.example', '\\\\evil.example', 'https:evil.example', 'javascript:alert(1)',
  'data:text/html,x', `${FRONTEND}.evil.example/`, `${FRONTEND}@evil.example/`, '/%2fevil.example', '/%5Cevil.example',
  '/\t/evil.example', ' //evil.example', '/x\r\nLocation: https://evil.example', 'http://localhost:51730/', 'evil.example',
];

/** Origins that are not trusted, and look like it. */
export const STRANGERS = [
  { Origin: 'https://evil.example' }, { Origin: `${FRONTEND}.evil.example` }, { Origin: 'https://localhost:5173' }, { Origin: 'http://localhost:51730' },
  { Origin: `${FRONTEND}, https://evil.example` }, { Origin: 'null' }, { Referer: 'https://evil.example/' }, { Referer: `https://evil.example/?${FRONTEND}` }, {},
];

/** Texts that do harm where one is pasted into SQL, a filter, a header, a page or a template. */
export const TEXTS = [
  "'; DROP TABLE users; --", '" OR "1"="1', "x' OR 1=1 --", "') UNION SELECT password FROM users --", '%_*?[a-z]', "{:email} || id != ''",
  '@request.auth.id != ""', 'a\r\nX-Injected: yes', 'a\nSet-Cookie: better-auth.session_token=x', '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>',
  '{RECORD:tokenKey} {RECORD:password} {TOKEN} {OTP} {APP_URL}', '{{.TokenKey}} ${7*7} {{7*7}}', '=HYPERLINK("https://evil.example")',
  'line\u2028separator\u2029', '\u202Egpj.exe', '🦊'.repeat(20), '__proto__',
];

/** The value of the session cookie that a sign-in sets: `name=value`, or undefined. */
export const sessionCookie = (answer) => answer.headers.getSetCookie()
  .find((line) => /^better-auth\.session_token=[^;]/.test(line))?.split(';')[0];

/** Signs a user in the way a browser does: { cookie, token }. */
export async function browserSession(server, user) {
  const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: user.password } });
  return { cookie: sessionCookie(answer), token: answer.body.token };
}

/** All that the account routes could change of a user, as text: what must be the same after an attack. */
export async function standingOf(root, user) {
  const filter = (column) => ({ filter: root.filter(`${column} = {:id}`, { id: user.id }) });
  const rows = await Promise.all([
    root.collection('users').getOne(user.id), root.collection('wallets').getOne(user.id),
    root.collection('sessions').getFullList({ ...filter('user'), fields: 'id,expires_at' }), root.collection('api_keys').getFullList({ ...filter('user'), fields: 'id,disabled' }),
    root.collection('app_user').getFullList(filter('better_auth_user_id')), root.collection('entitlements').getFullList(filter('subject_id')),
  ]);
  return JSON.stringify(rows);
}

/** A request as fetch would not send it: the path as it is, any header, any body. → { status, headers, text, cookies } */
export function rawRequest(server, method, path, headers = {}, body = '') {
  return new Promise((done, fail) => {
    const sent = request({ host: '127.0.0.1', port: server.port, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text, cookies: answer.headers['set-cookie'] ?? [] }));
    });
    sent.on('upgrade', (answer, socket) => {
      socket.destroy();
      done({ status: answer.statusCode, headers: answer.headers, text: '', cookies: answer.headers['set-cookie'] ?? [] });
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
