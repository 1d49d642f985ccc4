import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BackupContents,
  HASH_BYTES,
  LENGTH_BYTES,
  MAGIC,
  STORE,
} from '../../../../store/backup-format.ts';
import { readContents, restoreBackup } from '../../../../store/restore.ts';
import type { Mutator } from '../mutate.ts';
import { tried } from '../refusal.ts';
import type { MakeTarget } from '../target.ts';
import { jsonMutators } from '../texts.ts';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** A backup of files, its list as `change` gives it. */
export function backupOf(
  files: Record<string, Uint8Array>,
  change: (list: Uint8Array) => Uint8Array = (list) => list,
): Uint8Array {
  const contents: BackupContents = {
    ...{ at: 1_700_000_000_000, gateway: 'a gateway', schema: 1, keyId: null },
    files: Object.entries(files).map(([name, bytes]) => ({
      ...{ name, bytes: bytes.length, sha256: sha256(bytes).toString('hex') },
    })),
  };
  const list = change(Buffer.from(JSON.stringify(contents)));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(list.length);
  const all = [...Object.values(files), list, sha256(list), length, MAGIC];
  return new Uint8Array(Buffer.concat(all));
}

const FILES = { [STORE]: new Uint8Array(5000).fill(7), 'key.pem': Buffer.from('a key\n') };
const SIZE = Object.values(FILES).reduce((sum, { length }) => sum + length, 0);
const TAIL = HASH_BYTES + LENGTH_BYTES + MAGIC.length;

/** Another list, with a right hash: who writes backups can say anything in it. */
const relisted = jsonMutators.map(
  (mutator): Mutator =>
    (bytes, random) => {
      const list = bytes.slice(SIZE, Math.max(SIZE, bytes.length - TAIL));
      return backupOf(FILES, () => mutator(list, random));
    },
);

/**
 * Backups, unpacked into a data directory: refused by name with the directory as it was, or whole, and
 * nothing lies beside it. The stores in them are no stores: those have their own check.
 */
export const backups: MakeTarget = async (directory) => {
  const path = join(directory, 'a.backup');
  const data = join(directory, 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  writeFileSync(join(data, STORE), 'the store before');
  // the lock of a directory stays in it
  const look = (): string =>
    [directory, data]
      .flatMap((folder) => readdirSync(folder))
      .filter((name) => !name.startsWith('gateway.'))
      .join();
  writeFileSync(path, '');
  const before = look();
  return {
    corpus: [backupOf(FILES)],
    mutators: relisted,
    take: (bytes) => {
      writeFileSync(path, bytes);
      const outcome = tried(() => {
        const { files } = readContents(path);
        restoreBackup({ path, directory: data, replace: true, verify: () => {} });
        for (const { name, sha256: hash } of files) {
          const found = sha256(readFileSync(join(data, name))).toString('hex');
          if (found !== hash) throw new Error('it holds what its list does not say');
        }
      }, 'bad-file');
      if (outcome === 'taken') {
        for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
        writeFileSync(join(data, STORE), 'the store before');
      } else if (readFileSync(join(data, STORE), 'utf8') !== 'the store before') {
        throw new Error('a refused backup changed the store');
      }
      if (look() !== before || existsSync(join(directory, '..', STORE))) {
        throw new Error('a file lies where none belongs');
      }
      return outcome;
    },
  };
};
