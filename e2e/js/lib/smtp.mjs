// A real SMTP server for the tests: it takes the mails that the server sends and keeps them, read.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 10_000;
const POLL_MS = 20;
/** A mail, and a command line, beyond these many characters ends the connection. */
const MAX_MAIL = 1 << 20;
const MAX_LINE = 2_000;

/**
 * Listens on a free port of 127.0.0.1: { port, mails(), waitForMail(to, { subject, after, timeoutMs }), noMail(to, ms), clear(), close() }.
 * A mail is { from, to: [address], subject, text, html, headers: { lowercased: [value] }, links: [url], raw };
 * from and to are the envelope's, header values are decoded, links are the html's, each once.
 */
export async function startSMTP() {
  const kept = [];
  const sockets = new Set();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    talk(socket, (mail) => kept.push(mail));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const matches = (mail, to, subject) => mail.to.includes(to.toLowerCase())
    && (subject === undefined || (subject instanceof RegExp ? subject.test(mail.subject) : mail.subject.includes(subject)));

  /** The newest mail to this address. `after` skips that many older ones, `subject` is a part of it or a RegExp. */
  async function waitForMail(to, { subject, after = 0, timeoutMs = WAIT_MS } = {}) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = kept.filter((mail) => matches(mail, to, subject));
      if (found.length > after) return found.at(-1);
      if (Date.now() > deadline) {
        throw new Error(`no mail to ${to} (${subject ?? 'any subject'}) in ${timeoutMs} ms; there are ${JSON.stringify(kept.map(({ to, subject }) => ({ to, subject })))}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Throws when a mail to this address comes within ms. */
  async function noMail(to, ms = 300) {
    await sleep(ms);
    const found = kept.filter((mail) => matches(mail, to));
    if (found.length) throw new Error(`mail to ${to}: ${found.map((mail) => mail.subject).join(', ')}`);
  }

  async function close() {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, 'close');
  }
  return { port: listener.address().port, mails: () => [...kept], waitForMail, noMail, clear: () => { kept.length = 0; }, close };
}

/** Makes PocketBase send by this server. `root` is a PocketBase client signed in as a superuser. */
export async function useSMTP(root, smtp) {
  await root.settings.update({
    smtp: { enabled: true, host: '127.0.0.1', port: smtp.port, username: '', password: '', tls: false },
    meta: { senderName: 'Sokuji', senderAddress: 'no-reply@example.com' },
  });
}

/** One SMTP conversation, RFC 5321: line by line, a mail after DATA up to a lone dot. */
function talk(socket, deliver) {
  const say = (line) => socket.write(`${line}\r\n`);
  let pending = '';
  let envelope = { from: '', to: [] };
  let data = null; // the lines of a mail while it comes in

  const commands = {
    EHLO: () => say('250-test\r\n250-8BITMIME\r\n250 SMTPUTF8'),
    HELO: () => say('250 test'),
    MAIL: (rest) => { envelope = { from: addressIn(rest), to: [] }; say('250 OK'); },
    RCPT: (rest) => { envelope.to.push(addressIn(rest)); say('250 OK'); },
    DATA: () => {
      if (!envelope.to.length) return say('503 no recipients');
      data = [];
      say('354 go on');
    },
    RSET: () => { envelope = { from: '', to: [] }; say('250 OK'); },
    NOOP: () => say('250 OK'),
    QUIT: () => { say('221 bye'); socket.end(); },
  };

  function line(text) {
    if (data === null) {
      const [word] = text.split(/[ :]/, 1);
      const command = commands[word.toUpperCase()];
      return command ? command(text.slice(word.length)) : say('502 unknown command');
    }
    if (text !== '.') return data.push(text.startsWith('.') ? text.slice(1) : text);
    deliver({ ...envelope, ...readMail(data.join('\r\n')) });
    data = null;
    envelope = { from: '', to: [] };
    say('250 OK');
  }

  say('220 test ESMTP');
  socket.setEncoding('latin1'); // one character is one byte; the parts decode themselves
  socket.on('data', (chunk) => {
    pending += chunk;
    for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
      const text = pending.slice(0, end);
      pending = pending.slice(end + 2);
      line(text);
    }
    if (pending.length > MAX_LINE || (data && data.length > MAX_MAIL / 80)) socket.destroy();
  });
}

const addressIn = (rest) => (/<([^>]*)>/.exec(rest)?.[1] ?? rest.replace(/^\s*:?\s*/, '')).toLowerCase();

/** The text of a mail (one character a byte) as { subject, text, html, headers, links, raw }. */
function readMail(raw) {
  const part = readPart(raw);
  const html = find(part, 'text/html') ?? '';
  return {
    subject: part.headers.subject?.[0] ?? '',
    text: find(part, 'text/plain') ?? '',
    html,
    headers: part.headers,
    links: [...new Set([...html.matchAll(/href="([^"]+)"/g)].map(([, link]) => link.replaceAll('&amp;', '&')))],
    raw,
  };
}

function find(part, type) {
  if (part.type === type) return part.content;
  for (const child of part.parts) {
    const found = find(child, type);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readPart(raw) {
  const [, head, body = ''] = /^([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(raw) ?? [undefined, raw];
  const headers = {};
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    (headers[line.slice(0, colon).toLowerCase()] ??= []).push(decodeWords(line.slice(colon + 1).trim()));
  }
  const contentType = headers['content-type']?.[0] ?? 'text/plain';
  const type = contentType.split(';')[0].trim().toLowerCase();
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (type.startsWith('multipart/') && boundary) {
    const parts = `\r\n${body}`.split(`\r\n--${boundary}`).slice(1).filter((piece) => !piece.startsWith('--'));
    return { type, headers, content: '', parts: parts.map((piece) => readPart(piece.replace(/^\r\n/, ''))) };
  }
  const encoding = headers['content-transfer-encoding']?.[0]?.toLowerCase() ?? '';
  return { type, headers, content: decodeBody(body, encoding), parts: [] };
}

function decodeBody(body, encoding) {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') return unquote(body.replace(/=\r\n/g, ''));
  return Buffer.from(body, 'latin1').toString('utf8');
}

const unquote = (text) => Buffer.from(text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');

/** RFC 2047's =?utf-8?q?…?= and =?utf-8?b?…?= */
const decodeWords = (text) => text
  .replace(/\?=\s+=\?/g, '?==?')
  .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind, word) => (kind.toLowerCase() === 'b'
    ? Buffer.from(word, 'base64').toString('utf8')
    : unquote(word.replaceAll('_', ' '))));
