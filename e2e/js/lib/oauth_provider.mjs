// Another service that people sign in by: OAuth 2.0 with PKCE, and OpenID Connect's userinfo.
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const sha256 = (text) => createHash('sha256').update(text).digest('base64url');

/**
 * Starts on a free port: { url, is(person), tokens(), allow(address), close() }.
 * `is({ sub, email, email_verified, name })` says who is signed in there; `allow(address)` is that person on the
 * consent page: it gives the address that the browser is sent back to. A GET of /authorize does the same by redirect.
 */
export async function startProvider() {
  let person = { sub: 'p1', email: 'person@example.com', email_verified: true, name: 'Person' };
  let tokens = 0;
  const codes = new Map();
  const access = new Map();

  function allow(address) {
    const asked = new URL(address).searchParams;
    if (asked.get('client_id') !== 'client' || asked.get('response_type') !== 'code') throw new Error(`a bad request: ${address}`);
    const code = randomUUID();
    codes.set(code, { challenge: asked.get('code_challenge'), redirect: asked.get('redirect_uri'), person });
    const back = new URL(asked.get('redirect_uri'));
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.get('state'));
    return back.href;
  }

  function token(form) {
    tokens++;
    const grant = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    const fits = grant && sha256(form.get('code_verifier') ?? '') === grant.challenge && form.get('redirect_uri') === grant.redirect;
    if (!fits) return [400, { error: 'invalid_grant' }];
    const value = randomUUID();
    access.set(value, grant.person);
    return [200, { access_token: value, token_type: 'Bearer', expires_in: 60 }];
  }

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://provider');
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = (status, value) => { response.writeHead(status, { 'Content-Type': 'application/json' }); response.end(JSON.stringify(value)); };
    if (pathname === '/authorize') {
      response.writeHead(302, { Location: allow(`http://provider${request.url}`) });
      return response.end();
    }
    if (pathname === '/token') return answer(...token(new URLSearchParams(body)));
    if (pathname === '/userinfo') {
      const who = access.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
      return who ? answer(200, who) : answer(401, { error: 'invalid_token' });
    }
    return answer(404, {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    is: (next) => { person = { email_verified: true, ...next }; },
    tokens: () => tokens,
    allow,
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

/** Sets the provider up as an admin does in the dashboard. `root` is a PocketBase client signed in as a superuser. */
export async function useProvider(root, provider) {
  await root.collections.update('users', {
    oauth2: {
      enabled: true,
      providers: [{
        name: 'oidc', clientId: 'client', clientSecret: 'secret', pkce: true,
        authURL: `${provider.url}/authorize`, tokenURL: `${provider.url}/token`, userInfoURL: `${provider.url}/userinfo`,
      }],
    },
  });
}
