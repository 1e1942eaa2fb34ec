// One HTTP call as a test likes to read it.

/**
 * call(server, 'POST', '/api/…', { token, headers, body }) → { status, headers, body, text }.
 * `token` goes out as a bearer token, an object `body` as JSON, a string `body` as it is (labelled JSON).
 */
export async function call(server, method, path, { token, headers = {}, body } = {}) {
  const answer = await fetch(server.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: answer.status, headers: answer.headers, body: parsed, text };
}
