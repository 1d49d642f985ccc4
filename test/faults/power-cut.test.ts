import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cutAll } from '../../gateway/bench/faults/power/cut-all.ts';
import { realLife, virtualLife } from '../../gateway/bench/faults/power/field.ts';
import { generation } from '../../gateway/bench/faults/power/key-ring.ts';
import { realCuts } from '../../gateway/bench/faults/power/real-cuts.ts';
import { faultsCodes } from '../../gateway/bench/faults/power/world.ts';
import { hasSocat, skippedSocat } from '../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../support/run-espruino.ts';

/*
 * The short version of `whetstone bench faults --only power`: each operation of small models is cut,
 * recoveries at a sample of their operations.
 */

const skipped = skippedEspruino || skippedSocat;
const real = test.skipIf(!espruinoPath() || !hasSocat);
const limit = 300_000;

test(
  'device boots into the old or the new model when power is cut at any flash operation of an update',
  async () => {
    const scenarios = await cutAll(await faultsCodes(), { short: true });
    expect(scenarios.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { scenario, operations, cuts, doubles } of scenarios) {
      expect(operations, scenario).toBeGreaterThan(0);
      expect(cuts, scenario).toBeGreaterThan(5 * operations);
      console.log(`${scenario}: ${cuts} cuts, ${doubles} double cuts`);
    }
  },
  limit,
);

const kinds = [
  ['device', async () => ({ code: (await faultsCodes()).none })],
  [
    'device with keys',
    async () => ({
      code: (await faultsCodes()).ccm,
      keys: { present: generation(1), pending: null },
    }),
  ],
] as const;

test.each(kinds)(
  '%s writes nothing but its slot file in a life in the field',
  async (_name, build) => {
    const life = await virtualLife(await build());
    expect(life.flash.ops.length).toBeGreaterThan(15);
    expect(life).toMatchObject({ strayBytes: 0, unexplainedBytes: 0 });
  },
  limit,
);

real.each(kinds)(
  `real %s writes nothing but its slot file in a life in the field, and boots whole from cuts of it${skipped}`,
  async (_name, build) => {
    const cwd = await mkdtemp(join(tmpdir(), 'whetstone-life-'));
    try {
      const life = await realLife(espruinoPath()!, await build(), cwd);
      expect(life.flash.ops.length).toBeGreaterThan(15);
      expect(life).toMatchObject({ strayBytes: 0, unexplainedBytes: 0 });
      const { cuts, failures } = await realCuts(espruinoPath()!, await build(), life, 6);
      expect(failures).toEqual([]);
      expect(cuts).toBe(6);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  },
  limit,
);
