import { X509Certificate } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ADMIN_TOKEN } from '../admin-token.ts';
import { askReadiness } from '../api/ask.ts';
import { DEFAULT_PORT } from '../api/server.ts';
import { readTls, tlsCredentials } from '../api/tls.ts';
import type { StartOptions } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { readRunFile } from '../run-file.ts';
import { storeFile } from '../store/database.ts';
import { openStore } from '../store/store.ts';
import { readStoreKey } from '../store/store-key.ts';
import { type Check, has, lacks } from './checks.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Before a certificate or a token ends: time for somebody to make another. */
const SOON_MS = 30 * DAY_MS;
const OTHERS = 0o077;
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/**
 * Looks at certificate and key of the API.
 *
 * @param options of `start`
 * @param now ms since 1970
 * @param running PEM of the certificate that the running gateway shows
 */
export function checkTls(
  { host = '127.0.0.1', tls }: StartOptions,
  now: number,
  running?: string | null,
): Check[] {
  const isOpen = !['127.0.0.1', 'localhost', '::1'].includes(host);
  const files = tls ?? tlsCredentials(process.env);
  if (files === undefined) {
    if (running) return [checkEnd(new X509Certificate(running), now)];
    if (!isOpen) return [has('tls', 'not needed: only this machine is served')];
    const means = `the gateway does not start: it serves ${host} with TLS alone`;
    const mend =
      'name certificate and key: "tls": {"cert": FILE, "key": FILE}; see docs/service.md';
    return [lacks('tls', 'no certificate', means, mend, true)];
  }
  try {
    const { certificate } = readTls(files);
    const check = checkEnd(certificate, now);
    if (!check.ok) return [check];
    if ((statSync(files.key).mode & OTHERS) !== 0 && tls !== undefined) {
      const means = 'other users of this machine can read its key';
      return [
        lacks('tls', `${check.found}; ${files.key} is open`, means, `chmod 600 ${files.key}`),
      ];
    }
    return [check];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const means = 'the gateway does not start';
    return [lacks('tls', error.message, means, error.hint ?? 'see docs/service.md', true)];
  }
}

/** From when until when a certificate counts. */
function checkEnd(certificate: X509Certificate, now: number): Check {
  const end = certificate.validToDate.getTime();
  const found = `${certificate.subjectAltName ?? certificate.subject}, until ${day(end)}`;
  const mend = 'make or fetch another, then: sudo systemctl restart whetstone; see docs/service.md';
  if (end <= now) return lacks('tls', found, 'nobody trusts it any more', mend, true);
  if (certificate.validFromDate.getTime() > now) {
    return lacks('tls', found, 'it does not count yet, or this clock is wrong', 'see: clock', true);
  }
  if (end - now < SOON_MS) return lacks('tls', found, 'it ends within a month', mend);
  return has('tls', found);
}

/**
 * Looks at who has access: whether an admin token counts, its file, and what ends soon.
 *
 * @param directory data directory
 * @param now ms since 1970
 */
export function checkTokens(
  directory: string,
  { keyFile, now }: { keyFile?: string | undefined; now: number },
): Check[] {
  if (!existsSync(storeFile(directory))) {
    return [has('tokens', 'the first start makes one for an admin')];
  }
  const file = join(directory, ADMIN_TOKEN);
  if (existsSync(file) && (statSync(file).mode & OTHERS) !== 0) {
    const means = 'who reads it is an admin of the gateway';
    return [lacks('tokens', `others may read ${file}`, means, `chmod 600 ${file}`)];
  }
  let store: ReturnType<typeof openStore>;
  try {
    store = openStore({ directory, readOnly: true, key: readStoreKey(keyFile) });
  } catch (error) {
    // what is wrong with the store, its own check says
    if (error instanceof GatewayError) return [];
    throw error;
  }
  try {
    const valid = store.tokens
      .list()
      .filter(
        ({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > now),
      );
    if (!valid.some(({ role }) => role === 'admin')) {
      const means = 'nobody can give access from another machine';
      return [
        lacks('tokens', 'no admin token counts', means, 'start the gateway again: it makes one'),
      ];
    }
    const ending = valid.filter(({ expiresAt }) => expiresAt !== null && expiresAt - now < SOON_MS);
    const found = `${valid.length} count`;
    if (ending.length === 0) return [has('tokens', found)];
    const names = ending.map(({ name, expiresAt }) => `${name} on ${day(expiresAt!)}`).join(', ');
    const mend = `whetstone tokens revoke ID, then: whetstone tokens add ${ending[0]!.name} --role ${ending[0]!.role}`;
    return [lacks('tokens', `${found}; ending: ${names}`, 'they lose access then', mend)];
  } finally {
    store.close();
  }
}

/**
 * Asks the gateway of a data directory whether it is ready; where none runs, whether its port is free.
 *
 * @param directory data directory
 * @param options of `start`
 */
export async function checkGateway(
  directory: string,
  { host = '127.0.0.1', port = DEFAULT_PORT }: StartOptions,
): Promise<Check[]> {
  const running = readRunFile(directory);
  if (running === undefined) return [await checkFree(host, port)];
  const { url, pid, cert } = running;
  try {
    const problems = await askReadiness({ url, ...(cert !== null && { pinned: cert }) });
    if (problems.length === 0) return [has('gateway', `ready at ${url}`)];
    const means = 'it runs and cannot do all of its work';
    const mend = 'mend what it names; see: journalctl -u whetstone, whetstone events';
    return [lacks('gateway', `not ready at ${url}: ${problems.join('; ')}`, means, mend, true)];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const found = `process ${pid} said that it serves ${url}: ${error.message}`;
    const mend =
      'systemctl status whetstone; then: sudo systemctl restart whetstone, or: npm start';
    return [lacks('gateway', found, 'it was killed, or it hangs', mend, true)];
  }
}

function checkFree(host: string, port: number): Promise<Check> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const means = 'the gateway does not start there';
      const why =
        code === 'EADDRINUSE'
          ? [
              'is taken by another program',
              `ss -ltnp 'sport = :${port}'; or: npm start -- --http-port N`,
            ]
          : code === 'EACCES'
            ? [
                'may not be used by this user',
                'choose one from 1024 on: npm start -- --http-port N',
              ]
            : [
                `cannot be used: ${code}`,
                'name an address of this machine: npm start -- --host HOST',
              ];
      resolve(
        lacks('gateway', `none runs; port ${port} of ${host} ${why[0]}`, means, why[1]!, true),
      );
    });
    server.listen({ host, port }, () => {
      server.close(() => resolve(has('gateway', `none runs with this data; port ${port} is free`)));
    });
  });
}
