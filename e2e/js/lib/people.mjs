// The people in the tests: the superuser, users, and what a superuser does to their wallets.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import PocketBase from 'pocketbase';
import { call } from './http.mjs';
import { ROOT_EMAIL, ROOT_PASSWORD } from './server.mjs';

export const PASSWORD = 'correct-horse-battery';

export const newEmail = () => `user-${randomUUID()}@example.com`;

/** A PocketBase client that never cancels a call because a like one follows. */
export function sdk(server) {
  return new PocketBase(server.url).autoCancellation(false);
}

export async function superuser(server) {
  const pb = sdk(server);
  await pb.collection('_superusers').authWithPassword(ROOT_EMAIL, ROOT_PASSWORD);
  return pb;
}

/** Signs up by the Better Auth road: { id, name, email, password, token }, the token being the session's. */
export async function newUser(server, name = 'Ada') {
  const email = newEmail();
  const answer = await call(server, 'POST', '/api/auth/sign-up/email', { body: { name, email, password: PASSWORD } });
  assert.equal(answer.status, 200, answer.text);
  return { id: answer.body.user.id, name, email, password: PASSWORD, token: answer.body.token };
}

/** Another session of the same user. */
export async function signIn(server, user) {
  const answer = await call(server, 'POST', '/api/auth/sign-in/email', { body: { email: user.email, password: user.password } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.token;
}

/** A PocketBase client signed in as this user by PocketBase's own road. */
export async function sdkFor(server, user) {
  const pb = sdk(server);
  await pb.collection('users').authWithPassword(user.email, user.password);
  return pb;
}

/** What the superuser `root` posts to the wallet API; it must succeed. */
export async function post(server, root, path, body) {
  const answer = await call(server, 'POST', path, { token: root.authStore.token, body });
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer.body;
}

export const mint = (server, root, user, amount) => post(server, root, '/api/wallet/mint', { userId: user.id, amount });
