import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readHead } from '../../../gateway/audit/heads.ts';
import { createSealer } from '../../../gateway/audit/sealer.ts';
import type { Verification } from '../../../gateway/audit/verification.ts';
import { verifyStore } from '../../../gateway/audit/verify.ts';
import { openRegistry } from '../../../gateway/registry/registry.ts';
import { openSigner } from '../../../gateway/registry/signing.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { meta, parts } from '../registry/support.ts';

const because = { who: 'test', why: 'to see' };
const headOf = (directory: string): string => join(directory, 'audit-head.json');

/** A gateway's registry and log in a folder, opened as `compose` opens them. */
export function openGateway(directory: string) {
  const now = () => 5000;
  const store = openStore({ directory, now });
  const registry = openRegistry(store, openSigner(join(directory, 'key.pem')), now);
  const sealer = createSealer(store, registry.keyring, headOf(directory), now);
  return { store, registry, sealer };
}

/** A folder with a log of everything that is told twice: keys, versions, stages, releases. */
export function fill(directory: string, labels = 12): void {
  const { store, registry, sealer } = openGateway(directory);
  const first = registry.register(parts(1), meta(), { decision: 'pass' });
  registry.setStage(first, 'trial', because);
  registry.release(first, 'first');
  registry.setStage(first, 'champion', because);
  const old = registry.keyring.list()[0]?.id as string;
  sealer.seal();
  registry.keyring.rotate('test');
  for (let i = 0; i < labels; i++) store.journal.write('label.added', `w${i}`, { have: i }, 5000);
  const second = registry.register(parts(2), meta({ parent: first }), null);
  registry.setStage(second, 'trial', because);
  registry.release(second, 'second');
  registry.setStage(second, 'champion', because);
  registry.signAgain(first, because);
  registry.keyring.revoke(old, because);
  store.journal.write('store.erased', 'w3', {}, 5000);
  sealer.seal();
  store.close();
}

/** What `whetstone verify` finds in a folder. */
export function look(directory: string, noted?: string): Verification {
  const store = openStore({ directory, readOnly: true });
  try {
    return verifyStore(store, { beside: readHead(headOf(directory)), noted });
  } finally {
    store.close();
  }
}

/** Changes a store as somebody with the disk can, whatever its triggers say. */
export function tamper(directory: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(directory, 'store.db'));
  db.exec('DROP TRIGGER eventsStay; DROP TRIGGER eventsAreFinal');
  change(db);
  db.close();
}
