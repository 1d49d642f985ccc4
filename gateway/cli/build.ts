import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Bundle } from '../../device/build.ts';
import type { Footprint } from '../bench/footprint.ts';
import { type BoardProfile, boardNames, loadBoard } from '../board.ts';
import { GatewayError } from '../errors.ts';
import { readModelFile, unwritable } from '../named-file.ts';
import type { Suite } from '../suites.ts';
import { loadTask, type Task } from '../task.ts';
import { type Io, say, sayJson, table } from './io.ts';

interface Options {
  board?: string;
  task: string;
  out?: string;
  model?: string;
  suite?: Suite;
  report?: boolean;
  json?: boolean;
}

const NOT_MEASURED =
  'set WHETSTONE_ESPRUINO_2630 to an Espruino of 2,630 variables whose flash is mapped';

const NODEMCU = 'Lua counts bytes of heap; test/device/nodemcu has the figure of this runtime';

/** Counts variables on the Espruino that stands for a board; says why it cannot. */
async function footprintOf(what: { board: BoardProfile; task: Task }): Promise<Footprint | string> {
  const path = process.env.WHETSTONE_ESPRUINO_2630;
  if (what.board.name !== 'puckjs') return 'only a Puck.js has an Espruino that stands for it';
  if (what.board.family === 'nodemcu') return NODEMCU;
  if (!path) return NOT_MEASURED;
  try {
    const { measureFootprint } = await import('../bench/footprint.ts');
    return await measureFootprint({ path, ...what });
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** @throws GatewayError 'not-found' for a suite that the board does not have */
function suiteOf({ name, suites }: BoardProfile, wanted: string | undefined): Suite {
  const found = wanted === undefined ? suites[0] : suites.find((suite) => suite === wanted);
  if (found !== undefined) return found;
  throw new GatewayError('not-found', `${name} has no suite '${wanted}'`, {
    hint: `it has: ${suites.join(', ')}`,
  });
}

/** Each family has its own builder; the Lua one brings TypeScript, and is loaded when it is needed. */
async function bundleFor(what: {
  board: BoardProfile;
  task: Task;
  types: string[];
  suite: Suite;
}): Promise<Bundle> {
  if (what.board.family === 'nodemcu') {
    return (await import('../../device/build-lua.ts')).buildLuaBundle(what);
  }
  return (await import('../../device/build.ts')).buildBundle(what);
}

/** Layers that a model brings, up to its last dense one; what follows is not run on devices. */
async function typesIn(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const [{ readTflite }, { partTypes }] = await Promise.all([
    import('../train/tflite/read-tflite.ts'),
    import('../train/layer-codec.ts'),
  ]);
  const { layers } = readTflite(readModelFile(file));
  const kept = layers.slice(0, layers.findLastIndex(({ type }) => type === 'dense') + 1);
  // what reads another layer than the one before needs the wiring that comes with additions
  const wired = kept.some(({ from }) => from !== undefined);
  return [...partTypes(kept), ...(wired ? ['add'] : [])];
}

/** `whetstone build`: the device bundle for one board. */
export function build(program: Command, io: Io): void {
  program
    .command('build')
    .description('write the device bundle for one board')
    .option('--board <name>', `required: one of ${boardNames().join(', ')}`)
    .option('--task <task>', 'a task by name, or a task file', 'gesture')
    .option('--out <file>', 'where to write the script; required but with --report')
    .option('--model <file>', 'a .tflite that will be imported: its layers are in the bundle too')
    .option(
      '--suite <suite>',
      "of its link: ccm, mac or none; the board's best where none is named",
    )
    .option('--report', 'say what takes the space')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone build --board puckjs --task gesture --out watch.js',
    )
    .action(async ({ board, task, out, model, suite, report, json }: Options, command: Command) => {
      if (board === undefined || (out === undefined && !report)) {
        const missing = [
          ...(board === undefined ? [`--board NAME (one of ${boardNames().join(', ')})`] : []),
          ...(out === undefined && !report ? ['--out FILE (where to write the script)'] : []),
        ];
        return command.error(`whetstone: not specified: ${missing.join(' and ')}`);
      }
      const profile = loadBoard(board);
      const what = {
        board: profile,
        task: loadTask(task),
        types: await typesIn(model),
        suite: suiteOf(profile, suite),
      };
      const bundle = await bundleFor(what).catch((cause: unknown) => {
        if (!(cause instanceof SyntaxError)) throw cause;
        const message = `the bundle holds what the board lacks: ${cause.message}`;
        throw new GatewayError('bad-bundle', message, { cause });
      });
      if (out !== undefined) {
        try {
          writeFileSync(out, bundle.code);
        } catch (cause) {
          throw unwritable(out, cause, { hint: 'choose another place with --out' });
        }
      }
      const { flash, slotPages, ring, variables } = what.board;
      const found = report ? await footprintOf(what) : '';
      const result = {
        board,
        task: what.task.name,
        suite: what.suite,
        out,
        bytes: bundle.bytes,
        report: bundle.report,
        ...(report && {
          slotBytes: flash.pageBytes * slotPages,
          ring,
          variables: {
            board: variables,
            ...(typeof found === 'string'
              ? { used: null, why: found }
              : { used: found.peak, found }),
          },
        }),
      };
      if (json) return sayJson(io, result);
      say(io, `${out ?? what.task.name}: ${bundle.bytes} bytes for ${board}, suite ${what.suite}`);
      if (!report) return;
      const rows = bundle.report.map(({ module, bytes }) => [module, String(bytes)]);
      if (rows.length > 0) say(io, table(['module', 'bytes'], rows));
      say(io, `model: at most ${flash.pageBytes * slotPages} bytes of flash in each of two slots`);
      say(io, `ring: at most ${ring} samples`);
      if (typeof found === 'string') {
        const has = variables > 0 ? ` (the board has ${variables} variables)` : '';
        return say(io, `RAM: not measured: ${found}${has}`);
      }
      const stages = found.stages.map((row) => [row.stage, String(row.used), String(row.within)]);
      say(io, table(['variables in use', 'after it', 'within calls'], stages));
      say(io, `RAM: at most ${found.peak} of ${found.total} variables, ${found.free} free`);
    });
}
