// Better Auth's client in its two ways of life: with a bearer token, as the Sokuji app runs it, and with cookies.

/** The desktop app's and extension's way: the token comes from `set-auth-token` and goes out as a bearer token. */
export function bearerClient(createAuthClient, url) {
  let token = '';
  const client = createAuthClient({
    baseURL: url,
    fetchOptions: {
      auth: { type: 'Bearer', token: () => token },
      onSuccess: ({ response }) => { token = response.headers.get('set-auth-token') ?? token; },
    },
  });
  return { client, token: () => token };
}

/** The web page's way: a cookie jar, and the page's Origin on every request. */
export function cookieClient(createAuthClient, url, origin) {
  const jar = new Map();
  const customFetchImpl = async (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('Origin', origin);
    if (jar.size) headers.set('Cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await fetch(input, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/;\s*Max-Age=0(;|$)/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  return { client: createAuthClient({ baseURL: url, fetchOptions: { customFetchImpl } }), jar };
}
