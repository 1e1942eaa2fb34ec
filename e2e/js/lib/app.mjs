// The Sokuji app as far as accounts go, on a page of a real browser.
import assert from 'node:assert/strict';

/** The app's two clients, by version: with cookies, as a web page has it, and with a bearer token, as the desktop app and the extension. */
export const APP = `
  import { createAuthClient as newest } from 'better-auth/client';
  import { emailOTPClient, oneTimeTokenClient } from 'better-auth/client/plugins';
  import { createAuthClient as seeds } from 'better-auth-1.4.3/client';
  import { emailOTPClient as seedsOTP, oneTimeTokenClient as seedsOTT } from 'better-auth-1.4.3/client/plugins';
  const versions = { newest: [newest, [emailOTPClient, oneTimeTokenClient]], '1.4.3': [seeds, [seedsOTP, seedsOTT]] };
  window.open_ = (version, way, baseURL) => {
    const [create, plugins] = versions[version];
    const bearer = {
      credentials: 'omit',
      auth: { type: 'Bearer', token: () => localStorage.token ?? '' },
      onSuccess: ({ response }) => { localStorage.token = response.headers.get('set-auth-token') ?? localStorage.token ?? ''; },
    };
    window.auth = create({ baseURL, plugins: plugins.map((plugin) => plugin()), fetchOptions: way === 'bearer' ? bearer : {} });
    window.seen = [];
    window.auth.useSession.subscribe(({ data, isPending }) => { if (!isPending) window.seen.push(data?.user.email ?? null); });
  };
`;

/** The app on a page of its own: run(path, fields) gives the client's data, failed(path, fields) its error. */
export async function openApp(browser, version, way, origin, api, context) {
  context ??= await browser.newContext();
  const page = await context.newPage();
  const start = async () => {
    await page.waitForFunction(() => window.open_);
    await page.evaluate((options) => window.open_(...options), [version, way, api]);
  };
  await page.goto(origin);
  await start();
  const ask = (path, fields) => page.evaluate(
    ([steps, rest]) => steps.split('.').reduce((value, step) => value[step], window.auth)(...rest), [path, fields === undefined ? [] : [fields]],
  );
  return {
    page,
    context,
    async run(path, fields) {
      const { data, error } = await ask(path, fields);
      assert.equal(error, null, `${path}: ${JSON.stringify(error)}`);
      return data;
    },
    async failed(path, fields) {
      const { data, error } = await ask(path, fields);
      assert.equal(data, null, path);
      return [error.status, error.code];
    },
    async reload() {
      await page.reload();
      await start();
    },
    /** Waits until useSession has last shown this address, or null. */
    shows: (email) => page.waitForFunction((wanted) => window.seen.length > 0 && window.seen.at(-1) === wanted, email, { timeout: 5_000 }),
  };
}

/** The session cookies that a browser keeps, by whatever name. */
export const sessionCookies = async (context) => (await context.cookies()).filter(({ name }) => name.includes('session_token'));
