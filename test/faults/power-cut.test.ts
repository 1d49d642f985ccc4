import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cutAll } from '../../gateway/bench/faults/power/cut-all.ts';
import { realLife, virtualLife } from '../../gateway/bench/faults/power/field.ts';
import { realCuts } from '../../gateway/bench/faults/power/real-cuts.ts';
import { faultsBundle } from '../../gateway/bench/faults/power/world.ts';
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
    const { code } = await faultsBundle();
    const scenarios = await cutAll(code, { short: true });
    expect(scenarios.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { scenario, operations, cuts, doubles } of scenarios) {
      expect(operations, scenario).toBeGreaterThan(0);
      expect(cuts, scenario).toBeGreaterThan(5 * operations);
      console.log(`${scenario}: ${cuts} cuts, ${doubles} double cuts`);
    }
  },
  limit,
);

test(
  'device writes nothing but its slot file in a life in the field',
  async () => {
    const { code } = await faultsBundle();
    const life = await virtualLife(code);
    expect(life.flash.ops.length).toBeGreaterThan(15);
    expect(life).toMatchObject({ strayBytes: 0, unexplainedBytes: 0 });
  },
  limit,
);

real(
  `real Espruino writes nothing but its slot file in a life in the field, and boots whole from cuts of it${skipped}`,
  async () => {
    const { code } = await faultsBundle();
    const cwd = await mkdtemp(join(tmpdir(), 'whetstone-life-'));
    try {
      const life = await realLife(espruinoPath()!, code, cwd);
      expect(life.flash.ops.length).toBeGreaterThan(15);
      expect(life).toMatchObject({ strayBytes: 0, unexplainedBytes: 0 });
      const { cuts, failures } = await realCuts(espruinoPath()!, code, life, 6);
      expect(failures).toEqual([]);
      expect(cuts).toBe(6);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  },
  limit,
);
