import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { GatewayError } from '../errors.ts';
import { readNamed } from '../named-file.ts';

/** Where certificate and key of the API lie, PEM. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/** What they hold. */
export interface Tls {
  cert: string;
  key: string;
  /** of the first certificate */
  certificate: X509Certificate;
}

/**
 * Reads certificate and key, and sees that they belong together.
 *
 * @param files the certificate with those that signed it, and its key without a password
 * @throws GatewayError 'bad-tls' if one cannot be read, is none, or they are no pair
 */
export function readTls(files: TlsFiles): Tls {
  const cert = read(files.cert, 'certificate');
  const key = read(files.key, 'key');
  const certificate = attempt(
    () => new X509Certificate(cert),
    `${files.cert} holds no certificate`,
    'PEM: it begins with -----BEGIN CERTIFICATE-----',
  );
  const privateKey = attempt(
    () => createPrivateKey(key),
    `${files.key} holds no key that can be read`,
    'PEM, without a password: openssl pkey -in OLD -out NEW',
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new GatewayError('bad-tls', `${files.key} is not the key of ${files.cert}`, {
      hint: 'name the key that the certificate was made with',
    });
  }
  attempt(
    () => createSecureContext({ cert, key }),
    `${files.cert} is none that TLS takes`,
    'its key may be too short, or its signature too weak: openssl req -x509 -newkey rsa:3072 …',
  );
  return { cert, key, certificate };
}

/** Names of the credentials that systemd hands over (LoadCredential=). */
const CREDENTIALS = { cert: 'whetstone-tls-cert', key: 'whetstone-tls-key' };

/**
 * Certificate and key among systemd's credentials; undefined where they are not there.
 *
 * @param env where systemd says where its credentials are
 */
export function tlsCredentials(env: Record<string, string | undefined>): TlsFiles | undefined {
  const folder = env.CREDENTIALS_DIRECTORY;
  if (folder === undefined) return undefined;
  const files = { cert: join(folder, CREDENTIALS.cert), key: join(folder, CREDENTIALS.key) };
  return existsSync(files.cert) ? files : undefined;
}

function read(path: string, what: string): string {
  const hint = 'the user of the gateway reads it as it starts';
  return readNamed(path, { what: `the ${what}`, code: 'bad-tls', hint }).toString('utf8');
}

function attempt<T>(act: () => T, message: string, hint: string): T {
  try {
    return act();
  } catch (cause) {
    throw new GatewayError('bad-tls', message, { cause, hint });
  }
}
