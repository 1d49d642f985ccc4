import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchRow } from '../report.ts';
import type { FaultsOptions } from './part.ts';
import { cutAll, type ScenarioCounts } from './power/cut-all.ts';
import type { Failure } from './power/explore.ts';
import { type Life, realLife, virtualLife } from './power/field.ts';
import { generation } from './power/key-ring.ts';
import { realCuts } from './power/real-cuts.ts';
import { type Build, faultsCodes } from './power/world.ts';

/** Cuts of which a real Espruino is booted. */
const REAL = 100;
const REAL_SHORT = 4;
/** Failures that are told in full. */
const TOLD = 10;

/**
 * Cuts the power at every flash operation: before it, within it and after it, and at every operation
 * of each recovery again. The device always boots into a whole model, old or new, and takes a later one.
 *
 * The bundle runs on the double of its board; a sample of the cuts is booted on the real Espruino. What
 * is torn: halves, random bytes, random bits, and a write of at most 256 bytes behind each word.
 * Flash that was torn reads the same each time: cells that waver are beyond this model.
 */
export async function rows(options: FaultsOptions): Promise<BenchRow[]> {
  const codes = await faultsCodes();
  const plain = { code: codes.none };
  const keyed = { code: codes.ccm, keys: { present: generation(1), pending: null } };
  const { onProgress, short = false } = options;
  onProgress?.('power: cuts of the virtual board');
  const scenarios = await cutAll(codes, options);
  return [
    ...virtualRows(scenarios, onProgress),
    ...lifeRows('virtual board', await virtualLife(plain)),
    ...lifeRows('virtual board with keys', await virtualLife(keyed)),
    ...(await realRows('real Espruino', plain, options, short ? REAL_SHORT : REAL)),
    ...(await realRows('real Espruino with keys', keyed, options, short ? REAL_SHORT : REAL)),
  ];
}

function virtualRows(
  scenarios: readonly ScenarioCounts[],
  tell?: (what: string) => void,
): BenchRow[] {
  const total = (key: 'cuts' | 'images' | 'doubles' | 'doubleImages'): number =>
    scenarios.reduce((sum, counts) => sum + counts[key], 0);
  const failures = scenarios.flatMap((counts) => counts.failures);
  return [
    verdict(
      'power cuts after which a device had no whole model or took no later one',
      failures,
      tell,
    ),
    { name: 'power cuts', value: total('cuts'), unit: '' },
    { name: 'distinct flash images of them', value: total('images'), unit: '' },
    { name: 'double power cuts', value: total('doubles'), unit: '' },
    { name: 'distinct flash images of those', value: total('doubleImages'), unit: '' },
    ...scenarios.map(({ scenario, operations, cuts, doubles }) => ({
      name: `${scenario}: ${operations} flash operations, ${doubles} double cuts`,
      ...{ value: cuts, unit: 'cuts' },
    })),
  ];
}

function verdict(
  name: string,
  failures: readonly Failure[],
  tell?: (what: string) => void,
): BenchRow {
  for (const { scenario, where, problem } of failures.slice(0, TOLD)) {
    tell?.(`power: ${scenario}, ${where}: ${problem}`);
  }
  return { name, value: failures.length, unit: '', aim: '0', met: failures.length === 0 };
}

function lifeRows(board: string, { flash, strayBytes, unexplainedBytes }: Life): BenchRow[] {
  const wrong = strayBytes + unexplainedBytes;
  return [
    {
      name: `bytes written outside the slot file in a life in the field, ${board}`,
      ...{ value: wrong, unit: 'bytes', aim: '0', met: wrong === 0 && flash.ops.length > 0 },
    },
    { name: `flash operations of that life, ${board}`, value: flash.ops.length, unit: '' },
  ];
}

async function realRows(
  board: string,
  build: Build,
  { espruino, onProgress }: FaultsOptions,
  most: number,
): Promise<BenchRow[]> {
  if (espruino === undefined) {
    const skipped = 'WHETSTONE_ESPRUINO is not set';
    return [{ name: `power cuts on the ${board}`, unit: '', skipped }];
  }
  onProgress?.(`power: a life of the ${board}, and cuts in it`);
  const cwd = await mkdtemp(join(tmpdir(), 'whetstone-life-'));
  try {
    const life = await realLife(espruino, build, cwd);
    const { cuts, of, failures, hung } = await realCuts(espruino, build, life, most);
    return [
      ...lifeRows(board, life),
      { name: `power cuts on the ${board}, of ${of} in that life`, value: cuts, unit: '' },
      {
        name: `of those, booted once more because the process hung: ${board}`,
        value: hung,
        unit: '',
      },
      verdict(
        `of those of the ${board}, without a whole model or a later update`,
        failures,
        onProgress,
      ),
    ];
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
