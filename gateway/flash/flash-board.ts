import { setTimeout as wait } from 'node:timers/promises';
import { type BuildTask, builtOf, type SuiteName } from '../../device/build.ts';
import { sensorOf } from '../../device/sensors.ts';
import type { BoardProfile } from '../board.ts';
import { GatewayError } from '../errors.ts';
import type { Port } from '../link/port.ts';
import type { Task } from '../task.ts';
import { espruinoUploader } from './espruino.ts';
import { type Greeting, type Keeper, keysFor } from './keeper.ts';
import { nodemcuUploader } from './nodemcu.ts';
import type { BoardFacts, Uploader } from './uploader.ts';

export interface FlashOptions {
  board: BoardProfile;
  task: Task;
  /** the port, closed, at a speed */
  open: (baud: number) => Port;
  /** it is a radio: there is no speed, and the device speaks by Bluetooth from then on */
  ble?: boolean;
  keeper: Keeper;
  /** default: the board's name and the end of its chip's serial number */
  id?: string;
  /** weaker than the best of the board */
  suite?: 'ccm' | 'mac';
  /** a version, its first digits, or 'latest' */
  model?: string;
  /** the id has keys, and another board than this one may have them */
  replace?: boolean;
  /** erases files on the board that are not Whetstone's */
  erase?: boolean;
  /** a link without keys is agreed to */
  allowWeakLink?: boolean;
  /** lines in the place of packets */
  repl?: boolean;
  /** of NodeMCU's firmware build: makes the image of its flash store */
  luac?: string;
  /** more of what the runtime is started with */
  start?: Record<string, unknown>;
  onProgress: (done: number, what: string) => void;
  /** stops it */
  signal?: AbortSignal;
  /** the command that does it all again, for people */
  again?: string;
}

/** How far it is: what a board that is left there is like, and what follows from that. */
type Stage = 'looked' | 'writing' | 'written';

/** What will be, or was, done. */
export interface Flashed {
  device: string;
  board: string;
  task: string;
  firmware: string;
  way: string;
  suite: SuiteName;
  /** what feeds the model, or why nothing does */
  sensor: string;
  /** bytes of what goes onto the board */
  runtimeBytes: number;
  slotBytes: number;
  version: string | null;
  keptIn: string;
  /** absent after a dry run */
  done?: {
    ms: { upload: number; hello: number; total: number };
    sentBytes: number;
    heardBytes: number;
    modelWireBytes: number;
    tier: string;
    selfTest: Greeting['selfTest'];
    version: string | null;
    release: number;
  };
}

/** Shares of a bar: what is uploaded, then hello and model. */
const UPLOADED = 0.85;
const STARTED = 0.9;
/** A board sets its port up at another speed before it says hello. */
const SETTLE_MS = 300;
/** Digits of a chip's serial number in a device's name. */
const DIGITS = 6;

function uploaderOf(options: FlashOptions): Uploader {
  const { board, signal } = options;
  const open = (baud: number): Port => stoppable(options.open(baud), signal);
  return board.family === 'nodemcu'
    ? nodemcuUploader(open, board, options)
    : espruinoUploader(open, board, options);
}

/** A port that is lost when somebody stops it all. */
function stoppable(port: Port, signal: AbortSignal | undefined): Port {
  signal?.throwIfAborted();
  const onClose: Port['onClose'] = (closed) => {
    port.onClose(closed);
    signal?.addEventListener('abort', () => closed(signal.reason));
  };
  return { ...port, onClose };
}

/** Builds the runtime; the Lua one brings TypeScript, and is loaded when it is needed. */
async function runtimeOf(board: BoardProfile, task: Task, suite: SuiteName): Promise<Uint8Array> {
  const what = { board, task: task as BuildTask, suite };
  const built =
    board.family === 'nodemcu'
      ? (await import('../../device/build-lua.ts')).buildLuaBundle(what)
      : await (await import('../../device/build.ts')).buildBundle(what);
  return Buffer.from(built.code, 'latin1');
}

/**
 * Brings a board from its bare firmware to a device that infers, streams and takes updates.
 *
 * @param options see FlashOptions
 * @param dryRun looks at the board, builds everything, and changes nothing: neither the board nor keys
 * @throws GatewayError 'port', 'wrong-board', 'not-allowed', 'bad-model', 'missing-tool', 'cancelled';
 *   each says what to do. Running it again begins afresh
 */
export async function flashBoard(options: FlashOptions, dryRun: boolean): Promise<Flashed> {
  const { board, task, keeper, onProgress, signal, start = {}, ble = false } = options;
  const begun = performance.now();
  const suite = suiteOf(options);
  const version = await keeper.version(options.model);
  const uploader = uploaderOf(options);
  /** a runtime gave up its console, and nothing was changed yet */
  let stopped = false;
  let stage: Stage = 'looked';
  try {
    onProgress(0, 'looking for the console');
    const facts = await uploader.look();
    stopped = facts.wasRunning;
    refuse(facts, options);
    const device = options.id ?? nameOf(board, facts);
    const reads = sensorOf(board, task as BuildTask);
    if ('pins' in reads && reads.pins) checkPins(start, task);
    const keyed = suite !== 'none';
    if (keyed) await checkKeys(options, device);
    onProgress(0, 'building the runtime');
    const runtime = await runtimeOf(board, task, suite);
    const plan: Flashed = {
      ...{ device, board: board.name, task: task.name, suite, version },
      ...{ firmware: `${facts.firmware} ${facts.version}`, way: facts.way },
      sensor:
        'lacks' in reads
          ? `none: ${reads.lacks}; the application calls W.sample`
          : `${reads.name} at ${reads.rateHz} Hz`,
      ...{ runtimeBytes: runtime.length, slotBytes: 0, keptIn: keeper.where },
    };
    if (dryRun) return plan;
    signal?.throwIfAborted();
    stopped = false;
    stage = 'writing';
    const model = keeper.brings ? null : version;
    const slot = keyed
      ? (await keysFor(keeper, board, { device, suite, replace: true, model })).slot
      : new Uint8Array(0);
    const radio = ble && board.port !== 'Bluetooth' ? { port: 'Bluetooth' } : {};
    const total = runtime.length + slot.length + 1;
    const sizes = new Map<string, number>();
    await uploader.upload(
      { runtime, start: { ...radio, ...start, id: device }, slot },
      (what, done) => {
        sizes.set(what, done);
        const sum = [...sizes.values()].reduce((a, b) => a + b, 0);
        onProgress(Math.min(1, sum / total) * UPLOADED, what);
      },
    );
    await uploader.start();
    const line = uploader.bytes();
    await uploader.close();
    stage = 'written';
    const uploaded = performance.now();
    onProgress(STARTED, 'waiting for its hello');
    await wait(SETTLE_MS);
    const { baud } = builtOf(board, task as BuildTask);
    signal?.throwIfAborted();
    const whom = { device, version, ...(signal !== undefined && { signal }) };
    const greeting = await keeper.greet(options.open(baud), whom);
    onProgress(1, 'it runs');
    return {
      ...plan,
      slotBytes: slot.length,
      done: {
        ms: {
          upload: Math.round(uploaded - begun),
          hello: greeting.helloMs,
          total: Math.round(performance.now() - begun),
        },
        ...{ sentBytes: line.sent, heardBytes: line.heard },
        modelWireBytes: greeting.modelWireBytes,
        ...{ tier: greeting.tier, selfTest: greeting.selfTest },
        ...{ version: greeting.version, release: greeting.release },
      },
    };
  } catch (error) {
    throw signal?.aborted ? cutShort(stage, options) : error;
  } finally {
    // a lost port says so by itself
    if (stopped) await uploader.start().catch(() => {});
    await uploader.close();
  }
}

/** What a board that was left in the middle is like. */
const LEFT: Record<Stage, string> = {
  looked: 'nothing was written; where a runtime ran, it starts again with the board',
  writing: 'the board is half written; it has its prompt, and is no device until it is flashed',
  written: 'the board is written and runs, and was not heard yet',
};

/** Somebody stopped it. */
function cutShort(
  stage: Stage,
  { again = 'the same command', signal }: FlashOptions,
): GatewayError {
  const written = stage === 'written' ? ', or whetstone start, which brings the model' : '';
  return new GatewayError('cancelled', `flashing was stopped: ${LEFT[stage]}`, {
    cause: signal?.reason,
    hint: `go on with: ${again}${written}`,
  });
}

/** @throws GatewayError 'not-allowed' where the link would be weaker than the board can do, unsaid */
function suiteOf({ board, suite, allowWeakLink }: FlashOptions): SuiteName {
  const [best = 'none'] = board.suites;
  const chosen = suite ?? best;
  if (!board.suites.includes(chosen)) {
    throw new GatewayError('not-allowed', `${board.name} cannot do ${chosen}`, {
      hint: `it can do: ${board.suites.join(', ')}`,
    });
  }
  if (chosen === 'none' && !allowWeakLink) {
    throw new GatewayError('not-allowed', `${board.name} has nothing to secure a link with`, {
      hint: 'keep it on a cable, and say so: --allow-weak-link, here and at whetstone start',
    });
  }
  return chosen;
}

function refuse({ problems, foreign, firmware }: BoardFacts, { board, erase }: FlashOptions): void {
  if (problems.length > 0) {
    throw new GatewayError(
      'wrong-board',
      `this ${firmware} is no ${board.name}: ${problems.join('; ')}`,
      {
        hint: 'name the board that it is: --board, or update its firmware',
      },
    );
  }
  if (foreign.length > 0 && !erase) {
    const shown = foreign.slice(0, 3).join(', ') + (foreign.length > 3 ? ', …' : '');
    throw new GatewayError(
      'not-allowed',
      `${foreign.length} files on the board would be erased: ${shown}`,
      {
        hint: 'save them, then say so: --erase',
      },
    );
  }
}

/** @example nameOf({ name: 'puckjs' }, { serial: '0000ffff-12ab34cd' }) // 'puckjs-ab34cd' */
function nameOf(
  { name }: Pick<BoardProfile, 'name'>,
  { serial }: Pick<BoardFacts, 'serial'>,
): string {
  const digits = serial.replace(/[^0-9a-z]/gi, '').toLowerCase();
  if (digits === '') {
    throw new GatewayError('not-allowed', 'this board has no serial number to be named by', {
      hint: 'name the device: --id NAME',
    });
  }
  return `${name}-${digits.slice(-DIGITS)}`;
}

/** Keys of a device that has been heard under them are replaced only where somebody says so, or it is this chip. */
async function checkKeys({ keeper, id, replace }: FlashOptions, device: string): Promise<void> {
  if (id === undefined || replace) return;
  const known = (await keeper.calls.keys()).find((key) => key.device === device);
  if (known === undefined || known.removedAt !== null) return;
  const seen = (await keeper.calls.devices()).some((one) => one.id === device);
  if (!seen) return; // drawn by a run that did not end
  throw new GatewayError('not-allowed', `'${device}' has keys, and was heard with them`, {
    hint: 'is it this board? then say --replace; else choose another --id',
  });
}

function checkPins(start: Record<string, unknown>, task: Task): void {
  const pins = start.pins;
  const needed = task.sensor.axes.length;
  if (Array.isArray(pins) && pins.length === needed) return;
  throw new GatewayError('not-allowed', `the analogue input needs ${needed} pins`, {
    hint: `name them: --start '{"pins":["A0"]}'`,
  });
}
