import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMount, makeDisk } from '../../gateway/bench/faults/kill/disk.ts';
import { writeBackup } from '../../gateway/store/backup.ts';
import { temporary, testStore } from '../gateway/store/support.ts';
import { sample } from '../gateway/store/support-sample.ts';

const mounts = canMount();
const skipped = mounts ? '' : ' (skipped: this user may not mount a disk of its own)';

test.skipIf(!mounts)(
  `writeBackup() names the disk that is full, its own, and leaves nothing there${skipped}`,
  async () => {
    const directory = join(temporary(), 'data');
    const store = testStore({ directory });
    for (let seq = 1; seq < 40; seq++) await store.samples.add(sample({ seq }));
    const disk = makeDisk(temporary(), 8 << 20);
    onTestFinished(() => disk.unmount());
    disk.fill();
    const before = readdirSync(disk.path);
    const path = join(disk.path, 'a.backup');
    expect(() => writeBackup(directory, path, 1)).toThrow(
      expect.objectContaining({ code: 'disk-full', message: `no room for backup ${path}` }),
    );
    expect(readdirSync(disk.path)).toEqual(before);
    disk.makeRoom();
    expect(writeBackup(directory, path, 1).files[0]?.name).toBe('store.db');
    store.close();
  },
);
