import { answersOf, toValue } from './answers.ts';
import type { Composed } from './compose.ts';
import { championOf } from './dataset.ts';
import { GatewayError } from './errors.ts';
import { confidence } from './monitor/quality.ts';
import { knownScope, noDevice } from './scopes.ts';
import { fromSignal, toSignal } from './signal.ts';
import type { NewSample, Sample } from './store/types.ts';
import type { Task } from './task.ts';
import { createReader, type HeadSaid, type Reader } from './train/model.ts';
import type { InferView, WindowView } from './views/window.ts';
import type { InferRequest, WindowCalls } from './window-calls.ts';

/** Windows that are listed unless more are wanted. */
const LISTED = 50;
/** Models that stay loaded for {@link WindowCalls.infer}. */
const LOADED = 8;

/**
 * Answers what people and programs ask about windows.
 *
 * @param gateway composed
 * @param versionOf a version by its first digits
 */
export function windowService(
  { store, registry, loop, task }: Composed,
  versionOf: (prefix: string) => string,
): WindowCalls {
  const answers = answersOf(task);
  const said = sayerOf(task);
  const readers = new Map<string, Reader>();
  const listeners = new Set<(window: WindowView) => void>();
  let stop = (): void => {};

  function toWindow(row: NewSample | Sample): WindowView {
    const { device, session, seq, at, version, window, label } = row;
    const counts = typeof label === 'number' ? label : (label?.cls ?? null);
    const isReleased = 'releasedAt' in row && row.releasedAt !== null;
    return {
      ...{ device, id: `${session}:${seq}`, at, version, raw: window !== null },
      // imported recordings carry their label where a device says what it thinks
      ...(row.release === 0 ? { predicted: null, score: null, confidence: null } : said(row)),
      label: counts === null ? null : answers.say(counts),
      quarantine: isReleased ? null : row.quarantine,
    };
  }

  /** @throws GatewayError 'not-found' */
  function sampleOf(device: string, id: string): Sample {
    const [, session, seq] = /^(\d+):(\d+)$/.exec(id) ?? [];
    const found =
      seq === undefined
        ? undefined
        : store.samples.get({ device, session: Number(session), seq: Number(seq) });
    if (found !== undefined) return found;
    throw new GatewayError('not-found', `no window '${id}' of '${device}'`, {
      hint: 'a window is SESSION:SEQ; it may have been removed by age',
    });
  }

  /** @throws GatewayError 'not-found' */
  function wantedVersion({ version, device, scope = 'fleet' }: InferRequest): string {
    if (version !== undefined) return versionOf(version);
    const known = device === undefined ? undefined : store.devices.get(device);
    if (device !== undefined && known === undefined) throw noDevice(device);
    const champion =
      known === undefined
        ? championOf(registry, task.name, knownScope({ store, registry, task }, scope).scope)
        : registry.championFor(known);
    if (champion !== null && champion !== undefined) return champion;
    throw new GatewayError('not-found', `no model serves ${device ?? scope} yet`, {
      hint: 'train or import one, or name a version; see: whetstone models',
    });
  }

  function readerOf(version: string): Reader {
    const known = readers.get(version);
    if (known !== undefined) return known;
    const { samples } = task.window;
    const made = createReader(registry.parts(version), samples * task.sensor.axes.length);
    if (readers.size >= LOADED) readers.clear();
    readers.set(version, made);
    return made;
  }

  function ask(reader: Reader, { window, features, embedding }: InferRequest): HeadSaid {
    if (window !== undefined) {
      const { values, length } = fromSignal(window, task);
      return reader.ofWindow(values, length);
    }
    if (features !== undefined) {
      if (reader.features === null) {
        throw new GatewayError(
          'bad-window',
          'this model has no features: it sees the window itself',
          {
            hint: 'send window, samples × axes',
          },
        );
      }
      checkNumbers('features', features, reader.features, [-(2 ** 31), 2 ** 31 - 1]);
      return reader.ofFeatures(Int32Array.from(features));
    }
    checkNumbers('embedding', embedding!, reader.embedding, [-128, 127]);
    return reader.ofEmbedding(Int8Array.from(embedding!));
  }

  return {
    async windows(device, { limit = LISTED, before } = {}) {
      const found = store.samples.find({
        ...{ device, limit, order: 'newest' },
        ...(before !== undefined && { before: sampleOf(device, before) }),
      });
      // recordings that were read in have a name like a device, and never said hello
      const isKnown = found.length > 0 || before !== undefined || store.devices.get(device);
      if (!isKnown) throw noDevice(device);
      return found.map(toWindow);
    },
    async window(device, id) {
      const sample = sampleOf(device, id);
      const { window, length } = sample;
      return {
        ...toWindow(sample),
        signal: window === null ? null : toSignal(window, length, task),
      };
    },
    async infer(request): Promise<InferView> {
      const given = ['window', 'features', 'embedding'] as const;
      if (given.filter((name) => request[name] !== undefined).length !== 1) {
        throw new GatewayError(
          'bad-window',
          'exactly one of window, features and embedding is asked',
          {
            hint: 'window is samples × axes, in the unit of the sensor',
          },
        );
      }
      const version = wantedVersion(request);
      const answer = ask(readerOf(version), request);
      return { version, ...said(answer), logits: [...answer.logits] };
    },
    onWindow(listener) {
      if (listeners.size === 0) {
        stop = loop.onWindow((row) => {
          const window = toWindow(row);
          for (const one of listeners) one(window);
        });
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
  };
}

/** What class and score mean: a value has neither margin nor confidence. */
function sayerOf(
  task: Task,
): (said: {
  cls: number;
  score: number;
}) => Pick<WindowView, 'predicted' | 'score' | 'confidence'> {
  const { target } = task;
  const answers = answersOf(task);
  return (said) => {
    const answer = answers.of(said);
    if (target !== undefined) {
      return { predicted: toValue(answer, target), score: null, confidence: null };
    }
    const { score } = said;
    return { predicted: answers.say(answer), score, confidence: confidence(score) };
  };
}

/** @throws GatewayError 'bad-window' */
function checkNumbers(name: string, given: number[], count: number, [least, most]: number[]): void {
  const odd = given.findIndex((n) => !Number.isInteger(n) || n < least! || n > most!);
  if (given.length === count && odd < 0) return;
  const is = odd < 0 ? `has ${given.length} numbers` : `number ${odd} is ${given[odd]}`;
  throw new GatewayError('bad-window', `${name} ${is}`, {
    hint: `this model takes ${count} integers from ${least} to ${most}`,
  });
}
