import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Value } from '../../device/core/cbor.ts';
import {
  CONFIRM,
  EVENT,
  HELLO,
  MESSAGES,
  pack,
  SAMPLE,
  STATUS,
  WANT,
} from '../../device/core/messages.ts';
import { compose } from '../../gateway/compose.ts';
import { createRandom } from '../../gateway/random.ts';
import { createService } from '../../gateway/service.ts';
import { loadTask } from '../../gateway/task.ts';
import { steppedClock } from '../support/link-clock.ts';
import {
  goodWindow,
  hello,
  type RawDevice,
  rawDevice,
  rejections,
  sample,
} from '../support/raw-device.ts';

const task = loadTask('gesture');
const LEAST = -(2 ** 53);
const GREATEST = 2 ** 53 - 1;

/** A gateway that learns by itself, and devices that nobody can trust. */
function world() {
  const unhandled = rejections();
  const clock = steppedClock(1_000_000);
  const gateway = compose({ task, directory: ':memory:', clock, automatic: true, seed: 1 });
  const service = createService(gateway, { sentence: '', startedAt: 0 });
  onTestFinished(() => gateway.close());
  onTestFinished(() => service.close());
  const { store, loop } = gateway;
  let session = 1000;
  const settle = async (): Promise<void> => {
    await setImmediate();
    store.flush();
    await setImmediate();
    await clock.advance(1);
  };
  return {
    ...{ gateway, service, store, loop, clock, settle, unhandled },
    async attach(name = 'raw'): Promise<RawDevice> {
      const device = rawDevice(name);
      await loop.attach(device.port);
      return device;
    },
    /** Says hello as somebody in a new session, and sends a good window: it must be stored. */
    async works(device: RawDevice, id = 'good'): Promise<void> {
      session++;
      await goodWindow(device, id, session);
      await settle();
      const [newest] = store.samples.latest(id, 1);
      expect(newest).toMatchObject({ device: id, session, seq: 1, quarantine: null });
    },
    /** What people and programs ask for; none of it may fail. */
    async asksEverything(): Promise<void> {
      const { call } = service;
      await Promise.all([call.status(), call.devices(), call.labels(), call.events()]);
      store.counts();
      const labelled = store.samples.labelled({ task: task.name });
      expect(labelled.every(({ label }) => task.classes[label.cls] !== undefined)).toBe(true);
    },
  };
}

/** A good message of each kind, as fields by name. */
const good: Record<number, Value[]> = {
  [HELLO]: hello({ id: 'odd' }),
  [SAMPLE]: sample(),
  [WANT]: [1, 0, 0, 64],
  [STATUS]: [1, 5, 0],
  [EVENT]: [77, 1, 2, 1],
};

/** [name, code, fields] of each message with one integer at an end of what the wire can hold. */
function extremes(): [string, number, Value[]][] {
  return MESSAGES.filter(({ from }) => from === 'device').flatMap(({ code, name, fields }) =>
    Object.entries(fields).flatMap(([field, type], i) =>
      ['i', 'I'].includes(type)
        ? [LEAST, -GREATEST, -1, GREATEST].map((value): [string, number, Value[]] => [
            `${name}.${field} = ${value}`,
            code,
            good[code]!.with(i, value),
          ])
        : [],
    ),
  );
}

describe('a device that lies', () => {
  it('does no harm with an integer at either end in any field', async () => {
    const w = world();
    const all = extremes();
    expect(all.length).toBeGreaterThan(100);
    for (const [i, [name, code, fields]] of all.entries()) {
      const device = await w.attach(`port ${i}`);
      device.say(HELLO, good[HELLO]!);
      await setImmediate();
      expect(() => device.say(code, fields), name).not.toThrow();
      await w.settle();
      await w.works(device, `good ${i}`);
      expect(w.unhandled, name).toEqual([]);
      device.drop();
    }
    await w.asksEverything();
  });

  it.each(['', 'constructor', '__proto__', 'hasOwnProperty'])('is not let in as %j', async (id) => {
    const w = world();
    const device = await w.attach();
    device.say(HELLO, hello({ id }));
    await w.settle();
    device.say(SAMPLE, sample({ label: 1 }));
    device.say(STATUS, [0, 5, 0]);
    await w.settle();
    expect(w.loop.online.size).toBe(0);
    expect(w.store.devices.list()).toEqual([]);
    expect(w.store.samples.count({})).toBe(0);
    await w.works(device);
    await w.asksEverything();
    expect(w.unhandled).toEqual([]);
  });

  it.each([200, -1, -GREATEST, task.classes.length])(
    'teaches nothing with label %d',
    async (label) => {
      const w = world();
      const device = await w.attach();
      device.say(HELLO, hello());
      await w.settle();
      device.say(SAMPLE, sample({ label }));
      await w.settle();
      device.say(SAMPLE, sample({ seq: 2, t: 10_000, label: 2 }));
      await w.settle();
      const key = { device: 'raw', session: 77, seq: 1 };
      const odd = w.store.samples.get(key);
      expect(odd).toMatchObject({ label: null, quarantine: 'label outside the task' });
      w.store.samples.release(odd!.id, w.clock.now()); // the window counts, its label never did
      const labelled = w.store.samples.labelled({ task: task.name });
      expect(labelled.map(({ seq, label: { cls } }) => [seq, cls])).toEqual([[2, 2]]);
      await w.asksEverything();
      expect(w.unhandled).toEqual([]);
    },
  );

  it('may have dropped more windows than can be counted', async () => {
    const w = world();
    const device = await w.attach();
    for (const session of [1, 2, 3]) {
      device.say(HELLO, hello({ session }));
      await w.settle();
      device.say(EVENT, [session, 1, GREATEST, GREATEST]);
      await w.settle();
    }
    w.store.samples.noteDropped('raw', 1, GREATEST + 69);
    expect(w.store.samples.progress('raw', 1).dropped).toBe(GREATEST);
    expect(w.store.counts().dropped).toBeGreaterThan(GREATEST);
    await w.works(device);
    await w.asksEverything();
    expect(w.unhandled).toEqual([]);
  });
});

describe('a device that never stops talking', () => {
  it('does not fill the log, which is kept for ever, and what it did is counted', async () => {
    const w = world();
    const device = await w.attach();
    await w.works(device, 'noisy');
    const before = w.store.journal.written();
    const session = w.store.devices.get('noisy')!.session;
    for (let n = 0; n < 400; n++) {
      device.say(EVENT, [session, 2, n, 0]);
      device.say(STATUS, [n, 8, 0]);
      device.say(STATUS, [n, 3, 0]);
      device.say(SAMPLE, sample({ session, seq: n + 2, t: 1, score: 999 }));
      if (n % 10 === 0) await w.settle();
    }
    await w.settle();
    expect(w.store.journal.written() - before).toBe(240);
    expect(w.store.refusals.of('noisy')).toEqual({ 'refused-crc': 400 });
    expect(w.store.counts().quarantined).toBeGreaterThan(200);
    await w.works(device, 'another');
    await w.clock.advance(60_000);
    device.say(HELLO, hello({ id: 'noisy', session: session + 9 }));
    await w.settle();
    const told = w.store.journal.find({ kind: 'device.noisy' });
    expect(told.map(({ subject }) => subject)).toEqual(['noisy']);
    expect(told[0]!.data.entries).toBeGreaterThan(1000);
    expect(w.unhandled).toEqual([]);
  });
});

describe('ports that swap devices', () => {
  it('keep a device online as long as one of two ports with its id is there', async () => {
    const w = world();
    const [a, b] = [await w.attach('a'), await w.attach('b')];
    await goodWindow(a, 'one', 5);
    await goodWindow(b, 'one', 6);
    await w.settle();
    a.drop();
    await w.settle();
    expect([...w.loop.online.keys()]).toEqual(['one']);
    w.loop.online.get('one')!.confirm(3);
    await w.settle();
    expect([a.count(CONFIRM), b.count(CONFIRM)]).toEqual([0, 1]);
    b.drop();
    expect(w.loop.online.size).toBe(0);
  });

  it('take the first device offline when another one says hello there', async () => {
    const w = world();
    const device = await w.attach();
    await w.works(device, 'one');
    await w.works(device, 'two');
    expect([...w.loop.online.keys()]).toEqual(['two']);
    await w.works(device, 'one');
    expect([...w.loop.online.keys()]).toEqual(['one']);
  });

  it('store what comes behind a lost cable before the device says hello again', async () => {
    const w = world();
    const device = await w.attach();
    await goodWindow(device, 'one', 5);
    await w.settle();
    device.drop(new Error('the cable was pulled'));
    expect(w.loop.online.size).toBe(0);
    await w.clock.advance(1000);
    device.say(SAMPLE, sample({ session: 5, seq: 2, t: 10_000 }));
    device.say(STATUS, [7, 5, 0]); // who says this is not known yet
    await w.settle();
    expect(w.store.samples.latest('one', 9).map(({ seq }) => seq)).toEqual([2, 1]);
    expect(w.store.devices.get('one')).toMatchObject({ release: 0, state: 0 });
    await w.works(device, 'one');
    expect([...w.loop.online.keys()]).toEqual(['one']);
    expect(w.unhandled).toEqual([]);
  });

  it('store nothing of a device that changes its task without a restart', async () => {
    const w = world();
    const device = await w.attach();
    await goodWindow(device, 'one', 5);
    await w.settle();
    device.say(HELLO, hello({ id: 'one', session: 5, task: 'other' }));
    await w.settle();
    device.say(SAMPLE, sample({ session: 5, seq: 2, t: 10_000 }));
    device.say(EVENT, [5, 1, 90, 80]);
    await w.settle();
    expect(w.store.samples.count({})).toBe(1);
    expect(w.unhandled).toEqual([]);
  });

  it('hear nothing of a device that was refused', async () => {
    const w = world();
    const device = await w.attach();
    device.say(STATUS, [7, 5, 0]);
    device.say(EVENT, [1, 4, 3000, 0]);
    await w.works(device, 'two');
    device.say(HELLO, hello({ id: 'three', session: 9, task: 'other' }));
    await w.settle();
    device.say(STATUS, [7, 5, 0]);
    device.say(STATUS, [7, 3, 0]);
    device.say(EVENT, [9, 4, 3000, 0]);
    await w.settle();
    expect(w.loop.online.size).toBe(0);
    expect(w.store.devices.get('two')).toMatchObject({ release: 0, state: 0 });
    const told = w.store.journal.find().map(({ kind, subject }) => `${kind} ${subject}`);
    expect(told.filter((line) => line.startsWith('device.'))).toEqual([
      'device.seen two',
      'device.refused three',
    ]);
    expect(w.unhandled).toEqual([]);
  });
});

describe('a fuzz of frames', () => {
  const FRAMES = 4000;
  it(`of ${FRAMES} frames ends nothing, and every good window behind it is stored`, async () => {
    const w = world();
    const { next } = hostile(9);
    const [bad, honest] = [await w.attach('bad'), await w.attach('honest')];
    for (let n = 0; n < FRAMES; n++) {
      next(bad);
      if (n % 10 === 0) await setImmediate();
      if (n % 400 === 399) {
        await w.works(honest, 'honest');
        bad.bytes(new Uint8Array([0])); // whatever was begun ends here
        await w.works(bad, 'bad turned good');
        await w.asksEverything();
      }
    }
    expect(w.unhandled).toEqual([]);
    expect(w.store.samples.count({})).toBeGreaterThan(20);
  });
});

/** Says hostile things: fields of any value and type, payloads and bytes of any kind. */
function hostile(seed: number) {
  const random = createRandom(seed);
  const chance = () => random.uniform(0, 1);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
  const noise = (most: number): Uint8Array =>
    Uint8Array.from({ length: random.integer(most) }, () => random.integer(256));
  const ids = ['odd', 'odder', '', '__proto__', 'toString', "'; --", '\u0001', 'x'.repeat(300)];
  const integers = [LEAST, -GREATEST, -1, 0, 1, 2, 5, 76, 77, 78, 255, 65_536, 2 ** 32, GREATEST];
  const others: Value[] = [null, [], [[], [1]], 'gesture'];
  const value = (like: Value): Value => {
    if (chance() < 0.1) return pick<Value>([...others, ...integers, ...ids]);
    if (typeof like === 'number' || like === null) return pick(integers);
    return typeof like === 'string' ? pick(ids) : noise(300);
  };
  return {
    next(device: RawDevice): void {
      const kind = chance();
      const code = pick([HELLO, SAMPLE, SAMPLE, WANT, STATUS, EVENT]);
      const fields = good[code]!.map((like) => (chance() < 0.15 ? value(like) : like));
      const payload = pack(code, fields);
      if (kind < 0.7) device.frame(payload);
      else if (kind < 0.8) device.frame(payload.slice(0, random.integer(payload.length)));
      else if (kind < 0.9) device.frame(noise(200));
      else device.bytes(noise(200));
    },
  };
}
