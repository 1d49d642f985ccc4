import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether certificates can be made here. */
export const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
/** What a test's name says when they cannot. */
export const skippedOpenssl = hasOpenssl ? '' : ' (skipped: openssl is not installed)';

/**
 * Makes a certificate that signs itself.
 *
 * @param names as `subjectAltName` has them: 'DNS:box.local,IP:127.0.0.1'
 * @param days until it is over
 * @param kind what openssl makes its key of
 * @returns paths of certificate and key
 */
export function makeCertificate(
  names: string,
  days = 2,
  kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-tls-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const type = ['-newkey', ...kind, '-nodes'];
  const about = ['-subj', '/CN=whetstone test', '-addext', `subjectAltName=${names}`];
  execFileSync(
    'openssl',
    ['req', '-x509', ...type, '-days', String(days), ...about, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  return { cert, key };
}
