import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { compact } from './compact.ts';
import { type Constants, inlined } from './constants.ts';
import * as everything from './core/options.ts';
import type { Built, Wiring } from './espruino/main.ts';
import { kindOf } from './kind.ts';
import { looseLets } from './loose-lets.ts';
import { KERNEL, KERNEL_DENSE } from './native/blobs.ts';
import { edited, minified, type Owned } from './owned.ts';
import { passNames } from './pass-names.ts';
import { privateNames, shortNames } from './private-names.ts';
import { refuse } from './refuse.ts';
import { sensorOf } from './sensors.ts';
import { shortVariables } from './short-variables.ts';
import { settled, singles } from './singles.ts';
import { tighten } from './tighten.ts';
import { type WindowTask, windowOptions } from './window-options.ts';

/** What `build` needs of a board's profile. */
export interface BuildBoard {
  name: string;
  flash: { start: number; pageBytes: number; pages: number; mapped: boolean };
  slotPages: number;
  port: string;
  console?: string;
  baud: number;
  chunkBytes: number;
  ring: number;
  tiers: string[];
  sensors: string[];
}

/** How a bundle's link is secured: see docs/link.md. */
export type SuiteName = 'ccm' | 'mac' | 'none';

/** What `build` needs of a task. */
export interface BuildTask extends WindowTask {
  name: string;
  classes: string[];
  sensor: { name: string; axes: string[]; rateHz: number; countsPerG?: number };
  features: 'raw' | 'statistics' | 'motion';
  architecture: { layers: { type: string }[]; deeper?: { type: string }[] };
  send: { confidentOneIn: number; uncertainBelow: number; rawOneIn: number };
}

/** What a bundle is built for. */
export interface BundleOf {
  board: BuildBoard;
  task: BuildTask;
  /** of its link, one of the board's; default `none` */
  suite?: SuiteName;
  /** layers that imported models have, as a part's format names them, beside the task's own */
  types?: readonly string[];
}

/** A runtime for one board and one task. */
export interface Bundle {
  /** one script; it defines `whetstone(options)`, which starts the device and sets `W` */
  code: string;
  bytes: number;
  /** bytes of each module in `code`, largest first; together they are all of it */
  report: { module: string; bytes: number }[];
}

/** The smallest board's budget for everything: runtime, wiring and task. */
export const BUDGET_BYTES = 12_288;

/** What more the tier `tflm` may take, on boards that have it: their flash is measured in megabytes. */
export const TFLM_BYTES = 2_304;

const root = join(import.meta.dirname, '..');

/** Boots on trial without a confirmation; ms until a chunk is asked for again. */
const MAX_BOOTS = 3;
const RETRY_MS = 2000;
/** The longest frame is a chunk or an offer with this much for its golden vectors and parts. */
const OFFER_BYTES = 512;

/** What a bundle is told of its task and board, whichever firmware it is for. */
export function builtOf(
  board: BuildBoard,
  task: BuildTask,
): Built & Omit<Wiring, 'tiers' | 'console'> {
  const { send } = task;
  return {
    port: board.port,
    baud: board.baud,
    flashStart: board.flash.start,
    page: board.flash.pageBytes,
    slotPages: board.slotPages,
    board: board.name,
    task: task.name,
    kind: kindOf(board.name, task.name),
    classes: task.classes,
    segment: windowOptions(task),
    policy: [send.confidentOneIn, send.uncertainBelow, send.rawOneIn],
    chunk: board.chunkBytes,
    retryMs: RETRY_MS,
    maxBoots: MAX_BOOTS,
    frame: board.chunkBytes + OFFER_BYTES,
    ring: board.ring,
  };
}

/** Layers of a task's models, and of those imported for it, as a part's format names them. */
function typesOf(task: BuildTask, imported: readonly string[]): string[] {
  const { layers, deeper = [] } = task.architecture;
  return [...[...layers, ...deeper].map(({ type }) => type), ...imported];
}

const PLANE = ['conv2d', 'depthwise2d', 'maxpool2d', 'avgpool2d', 'mean'];
const POINT = ['add', 'softmax', 'logistic', 'quantise'];

/**
 * What this task's models and this board need of the core: see device/core/options.ts.
 *
 * @param imported layers of models that were not made here, as a part's format names them
 * @param suite of the link
 */
export function optionsOf(
  board: BuildBoard,
  task: BuildTask,
  imported: readonly string[] = [],
  suite: SuiteName = 'none',
): Record<string, boolean> {
  const types = typesOf(task, imported);
  const has = (...names: string[]): boolean => names.some((name) => types.includes(name));
  return {
    // those of an imported dense layer may have a multiplier an output
    CONV1D: has('conv1d', ...PLANE) || imported.length > 0,
    POOL: has('maxpool1d', 'avgpool1d'),
    PLANE: has(...PLANE),
    POINT: has(...POINT),
    TFLM: board.tiers.includes('tflm'),
    REFERENCE: board.tiers.includes('reference'),
    RAW: task.features === 'raw',
    FEATURES: task.features !== 'raw',
    MOTION: task.features === 'motion',
    GESTURE: task.window.mode === 'gesture',
    SLIDING: task.window.mode === 'sliding',
    MAPPED: board.flash.mapped,
    GATEWAY: false,
    PLAIN: suite === 'none',
    SECURE: suite !== 'none',
    MAC: suite === 'mac',
  };
}

/** Puts constants in the place of a module's. */
function replaced(filter: RegExp, constants: Record<string, boolean | string>): Plugin {
  const lines = Object.entries(constants).map(
    ([name, value]) => `export const ${name} = ${JSON.stringify(value)};`,
  );
  return {
    name: `replaces ${filter}`,
    setup: (build) => {
      build.onLoad({ filter }, () => ({ contents: lines.join('\n') }));
    },
  };
}

/** Espruino joins bytes natively: see device/core/flat.ts. */
const native: Plugin = {
  name: 'native bytes',
  setup: (build) => {
    build.onLoad({ filter: /[\\/]core[\\/]flat\.ts$/ }, () => ({
      contents: 'export const flat = E.toUint8Array;',
    }));
  },
};

/** Machine code for a board that can run it: no more of it than the layers need. */
function blobOf(board: BuildBoard, types: readonly string[], imported: boolean): string {
  if (!board.tiers.includes('thumb')) return '';
  return imported || types.some((type) => type !== 'dense') ? KERNEL : KERNEL_DENSE;
}

function entry(board: BuildBoard, task: BuildTask): string {
  const sensor = sensorOf(board, task);
  const has = 'path' in sensor;
  const { port, baud, flashStart, page, slotPages } = builtOf(board, task);
  const { tiers, console = null } = board;
  const wiring = { port, baud, console, tiers, flashStart, page, slotPages };
  return `
    import { storage } from './espruino/flash.ts';
    import { startWhetstone } from './espruino/main.ts';
    ${has ? `import { connectSensor } from '${sensor.path}';` : ''}
    const wiring = ${JSON.stringify(wiring)};
    const built = ${JSON.stringify({ classes: task.classes })};
    global.whetstone = function (options) {
      const device = startWhetstone(global, wiring, built, options);
      ${has ? `connectSensor(device, ${sensor.scale}, ${sensor.rateHz}${sensor.pins ? ', options.pins' : ''});` : ''}
      global.W = device;
    };
    const stored = storage.readJSON('ws.json', true);
    if (stored) global.whetstone(stored);
  `;
}

/**
 * Builds the runtime for one board and one task: bundled, minified, and refused if it holds what
 * Espruino lacks.
 *
 * @param what board's profile and task
 * @returns one script for `.bootcde` or for Espruino's first argument
 * @throws SyntaxError that names a construct which Espruino lacks, with line and column
 */
export async function buildBundle({ board, task, suite, types = [] }: BundleOf): Promise<Bundle> {
  const blob = blobOf(board, typesOf(task, types), types.length > 0);
  const { segment, classes, port, baud, flashStart, ...constants } = builtOf(board, task);
  return buildScript(entry(board, task), optionsOf(board, task, types, suite), blob, {
    ...segment,
    ...constants,
  });
}

/**
 * Builds a script for Espruino of any modules in this folder.
 *
 * @param program its first module, in TypeScript, as if it lay in this folder
 * @param options see device/core/options.ts; default: as they stand there, everything
 * @param blob machine code, see device/native; default: all of it
 * @param constants of the core's configuration, see inlined; default: none, it is handed in
 * @throws SyntaxError that names a construct which Espruino lacks, with line and column
 */
export async function buildScript(
  program: string,
  options: Record<string, boolean> = { ...everything },
  blob: string = KERNEL,
  constants: Constants = {},
): Promise<Bundle> {
  const bundled = await build({
    stdin: {
      contents: program,
      resolveDir: import.meta.dirname,
      sourcefile: 'entry.ts',
      loader: 'ts',
    },
    absWorkingDir: root,
    bundle: true,
    plugins: [
      replaced(/[\\/]core[\\/]options\.ts$/, options),
      replaced(/[\\/]espruino[\\/]blob\.ts$/, { BLOB: blob }),
      native,
    ],
    format: 'esm',
    target: 'es2015',
    write: false,
    minifySyntax: false,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const whole = Object.keys(constants).length > 0;
  const script = `(() => {\n${compact(whole ? singles(inlined(bundled.outputFiles[0].text, constants)) : bundled.outputFiles[0].text)}})();`;
  const code = await shrink({ text: script, owners: ownersOf(script) });
  refuse(code.text);
  const bytes = new Map<string, number>();
  for (const [at, owner] of code.owners.entries()) {
    bytes.set(owner, (bytes.get(owner) ?? 0) + Buffer.byteLength(code.text[at]!));
  }
  const report = [...bytes].map(([module, bytes]) => ({ module, bytes }));
  report.sort((a, b) => b.bytes - a.bytes);
  return { code: code.text, bytes: Buffer.byteLength(code.text), report };
}

/** Whose the characters of a bundle are: esbuild writes a module's path above it. */
function ownersOf(script: string): string[] {
  let module = 'shared names';
  return script.split('\n').flatMap((line) => {
    module = /^\s*\/\/ (device\/\S+\.ts)$/.exec(line)?.[1] ?? module;
    return new Array(line.length + 1).fill(module);
  });
}

/** Modules whose loops take the time of an inference. */
const HOT = /espruino\/convolve/;

/** What one round leaves lets the next one find more. */
const ROUNDS = 2;

/** Names that minifying leaves free. */
const FREE = ['$', '_', 'Z', 'Y', 'X', 'V'];

/** Minifies as far as Espruino bears it. */
async function shrink(code: Owned): Promise<Owned> {
  const names = privateNames(code.text);
  let small = code;
  for (let round = 0; round < ROUNDS; round++) {
    small = await minified(small, { mangle: false });
    let edits = passNames(small.text);
    for (; edits.length > 0; edits = passNames(small.text)) small = edited(small, edits);
    small = edited(small, settled(small.text));
  }
  small = edited(small, looseLets(small.text));
  small = await minified(small, {
    mangle: {
      toplevel: true,
      reserved: FREE,
      properties: { builtins: true, regex: new RegExp(`^(${names.join('|')})$`) },
    },
    nameCache: shortNames(names, code.text),
  });
  const isHot = (at: number): boolean => HOT.test(small.owners[at]!);
  small = edited(small, tighten(small.text, FREE, isHot));
  return edited(small, shortVariables(small.text));
}
