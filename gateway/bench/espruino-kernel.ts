import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildScript } from '../../device/build.ts';
import { GatewayError } from '../errors.ts';
import { encodeLayers } from '../train/layer-codec.ts';
import { BENCH_NETS, type BenchNet } from './nets.ts';

/** How long a net takes in one tier on a real Espruino. */
export interface EspruinoRow {
  net: string;
  tier: string;
  /** median over batches, µs for one inference; undefined where the board has not the tier */
  micros?: number;
  /** whether all tiers gave the same logits */
  equal: boolean;
}

/** Batches, and about how long one takes on a desktop. */
const BATCHES = 9;
const BATCH_S = 0.03;
const PATIENCE_MS = 180_000;

/**
 * Times the kernel's tiers on a real Espruino: the built code, one script a net, every tier in it.
 *
 * @param path of the Linux build; 'qemu-arm PATH' for one of another processor
 * @param tiers as chooseTier knows them, 'reference' among them
 * @throws GatewayError 'missing-tool' if Espruino cannot be run or does not finish
 */
export async function timeEspruino(path: string, tiers: readonly string[]): Promise<EspruinoRow[]> {
  const rows: EspruinoRow[] = [];
  for (const net of BENCH_NETS) {
    const { code } = await buildScript(program(net, tiers));
    const printed = await runScript(path, code);
    const found = [...printed.matchAll(/^<(\w+) (\w+) ([\d.]+) (\S+)>/gm)];
    const expected = found.find(([, , name]) => name === 'reference')?.[4];
    for (const tier of tiers) {
      const [, , name, micros, logits] = found.find(([, asked]) => asked === tier) ?? [];
      rows.push({
        net: net.name,
        tier,
        ...(name === tier && { micros: Number(micros) }),
        equal: logits !== undefined && logits === expected,
      });
    }
  }
  return rows;
}

function program({ layers, inputs }: BenchNet, tiers: readonly string[]): string {
  const part = Buffer.from(encodeLayers(layers, 0)).toString('base64');
  return `
    import { chooseTier } from './espruino/tiers.ts';
    import { goldenWindow, loadLayers } from './core/model.ts';
    const input = new Int8Array(${inputs});
    goldenWindow(5, input);
    ${JSON.stringify(tiers)}.forEach((asked) => {
      const chosen = chooseTier(${JSON.stringify(tiers)}, asked);
      const tier = chosen[0];
      const text = atob('${part}');
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
      const layers = loadLayers(bytes);
      const times = [];
      tier.run(layers, input);
      let start = getTime();
      tier.run(layers, input);
      const runs = 1 + Math.floor(${BATCH_S} / (getTime() - start));
      for (let batch = 0; batch < ${BATCHES}; batch++) {
        start = getTime();
        for (let run = 0; run < runs; run++) tier.run(layers, input);
        times.push((1000000 * (getTime() - start)) / runs);
      }
      times.sort((a, b) => a - b);
      const micros = times[${(BATCHES - 1) / 2}].toFixed(2);
      print('\\n<' + asked + ' ' + chosen[1] + ' ' + micros + ' ' + tier.run(layers, input).join() + '>');
    });`;
}

async function runScript(path: string, code: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'whetstone-bench-'));
  try {
    const script = join(cwd, 'bench.js');
    await writeFile(script, code);
    const [command, ...first] = path.split(' ');
    const started = promisify(execFile)(command!, [...first, script], {
      cwd,
      timeout: PATIENCE_MS,
      maxBuffer: 2 ** 24,
    });
    started.child.stdin?.end();
    return (await started).stdout.replaceAll('\r', '');
  } catch (cause) {
    throw new GatewayError('missing-tool', `Espruino did not finish: ${path}`, { cause });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
