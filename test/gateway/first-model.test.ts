import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { openStore } from '../../gateway/store/store.ts';
import { temporary } from '../support/loop-world.ts';
import { writeFolder } from '../support/recordings-folder.ts';
import { quickTask } from '../support/tasks.ts';

const start = (dataDir: string, recordings: string): Promise<Gateway> =>
  startGateway({ virtual: 0, port: 0, dataDir, recordings });

describe('learnFirstModel()', () => {
  it('learns that of the fleet from a folder, once', async () => {
    const [dataDir, folder] = [join(temporary(), 'data'), writeFolder(temporary(), quickTask())];
    const gateway = await start(dataDir, folder);
    const models = await gateway.call.models();
    await gateway.close();
    expect(models.map(({ scope, rung, parent }) => [scope, rung, parent])).toEqual([
      ['fleet', 'whole', null],
    ]);

    const again = await start(dataDir, join(folder, 'is-not-read-again'));
    expect((await again.call.models()).map(({ version }) => version)).toEqual([models[0]!.version]);
    await again.close();
    const store = openStore({ directory: dataDir, readOnly: true });
    const of = (name: string) => store.samples.count({ device: `recordings:${name}` });
    expect([of('ann'), of('bob')]).toEqual([14 * 6, 8 * 6]);
    store.close();
  });

  it('ends the start where there is no such folder, or what is there does not teach', async () => {
    const dataDir = join(temporary(), 'data');
    await expect(start(dataDir, join(temporary(), 'none'))).rejects.toMatchObject({
      code: 'bad-recordings',
    });
    const few = writeFolder(temporary(), quickTask(), [1, 1]);
    const refused = { code: 'bad-recordings', message: /^no first model from .*: / };
    await expect(start(dataDir, few)).rejects.toMatchObject(refused);
    // what was read in is not read in again
    await expect(start(dataDir, few)).rejects.toMatchObject(refused);
    const store = openStore({ directory: dataDir, readOnly: true });
    expect(store.samples.count({ device: 'recordings:bob' })).toBe(6);
    store.close();
  });
});
