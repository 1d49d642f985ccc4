import { describe, expect, test } from 'vitest';
import { GREET, TICK, WINDOW } from '../../../device/core/inputs.ts';
import { type About, type LinkState, next, startLink, travels } from '../../../device/core/link.ts';
import { parseMessage } from '../../../gateway/link/messages.ts';

const ABOUT: About = ['d1', 'test', 'gesture', new Uint8Array(8), 3, 1, 'reference', 4096];

/** A link whose messages are read by the gateway's own parser. */
function machine(options: { samples?: number; span?: number; policy?: number[] } = {}) {
  const state: LinkState = startLink(
    77,
    options.policy ?? [1, 256, 0],
    options.samples ?? 8,
    options.span ?? 3,
  );
  let now = 0;
  const run = (code: number, fields: unknown[]) =>
    next(state, code, fields, now).map((bytes) => {
      const message = parseMessage(bytes);
      if (message === undefined) throw new Error(`no message: ${bytes}`);
      return message;
    });
  const link = {
    state,
    at: (ms: number) => {
      now = ms;
      return link;
    },
    greet: () => run(GREET, ABOUT),
    tick: () => run(TICK, []),
    hear: (code: number, ...fields: number[]) => run(code, fields),
    welcome: (ackSeq: number, session = 77) => link.hear(16, session, 0, ackSeq, 1, 256, 0),
    sample: (size = 4, score = 0, label: number | null = null) =>
      run(WINDOW, [3, 2, score, size, new Int8Array([-5, 5]), new Int8Array(size).fill(-7), label]),
    /** what was sent, short: h, sN, dN (dropped below N), gN (gone) */
    short: (messages: ReturnType<typeof run>) =>
      messages
        .map(({ name, body }) =>
          name === 'hello'
            ? 'h'
            : name === 'sample'
              ? `s${body.seq}`
              : name === 'event'
                ? `${'?d?g'[body.code]}${body.a}`
                : name,
        )
        .join(' '),
  };
  return link;
}

describe('next() of the device link', () => {
  test('says hello with doubling waits up to 30 s when nobody answers', () => {
    const link = machine();
    expect(link.short(link.greet())).toBe('h');
    const waits: number[] = [];
    for (let k = 0, last = 0; k < 8; k++) {
      waits.push(link.state.due - last);
      last = link.state.due;
      expect(link.short(link.at(last).tick())).toBe('h');
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  test('sends nothing before the welcome and a span of samples after it', () => {
    const link = machine();
    for (let k = 0; k < 5; k++) expect(link.sample()).toEqual([]);
    link.greet();
    expect(link.short(link.welcome(0))).toBe('s1 s2 s3');
    expect(link.short(link.hear(17, 77, 2))).toBe('s4 s5');
    expect(link.short(link.hear(17, 77, 5))).toBe('');
    expect(link.state.due).toBe(Infinity);
  });

  test('waits with doubling gaps and sends all again when no ack comes; an ack ends that', () => {
    const link = machine();
    link.greet();
    link.welcome(0);
    link.sample();
    link.sample();
    expect(link.short(link.at(999).tick())).toBe('');
    expect(link.short(link.at(1000).tick())).toBe('s1 s2');
    expect(link.state.due).toBe(2000);
    expect(link.short(link.at(2000).tick())).toBe('s1 s2');
    expect(link.state.due).toBe(4000);
    link.hear(17, 77, 1);
    expect(link.state.due).toBe(3000);
  });

  test('ignores acks and welcomes when they are of another session or beyond what was made', () => {
    const link = machine();
    link.greet();
    expect(link.welcome(0, 78)).toEqual([]);
    expect(link.state.up).toBe(false);
    link.welcome(0);
    link.sample();
    link.hear(17, 78, 1);
    link.hear(17, 77, 2);
    expect(link.state.acked).toBe(0);
  });

  test('takes another session number when the gateway has samples of this one that it never made', () => {
    const link = machine();
    link.sample();
    link.greet();
    const [hello] = link.welcome(500);
    expect(hello.name === 'hello' && hello.body.session).toBe(78);
    const [sample] = link.welcome(0, 78);
    expect(sample.name === 'sample' && [sample.body.session, sample.body.seq]).toEqual([78, 1]);
  });

  test('says hello at once when an ack of session 0 asks for it', () => {
    const link = machine();
    link.greet();
    link.welcome(0);
    link.sample();
    expect(link.short(link.at(50).hear(17, 0, 0))).toBe('h');
    expect(link.short(link.welcome(0))).toBe('s1');
  });

  test('counts what it evicts and reports it until the ack has passed it', () => {
    const link = machine({ samples: 4 });
    for (let k = 0; k < 10; k++) link.sample();
    expect([link.state.dropped, link.state.ring.length]).toEqual([6, 4]);
    link.greet();
    expect(link.short(link.welcome(0))).toBe('d7 s7 s8 s9');
    expect(link.short(link.at(1000).tick())).toBe('d7 s7 s8 s9');
    expect(link.short(link.hear(17, 77, 7))).toBe('s10');
    expect(link.short(link.at(9000).tick())).toBe('s8 s9 s10');
  });

  test('does not count as dropped what was acknowledged before it made room', () => {
    const link = machine({ samples: 2 });
    link.greet();
    link.welcome(0);
    for (let k = 1; k < 9; k++) {
      link.sample();
      link.hear(17, 77, k);
    }
    expect([link.state.dropped, link.state.ring.length]).toEqual([0, 2]);
  });

  test('reports a gap when samples under way are evicted', () => {
    const link = machine({ samples: 3 });
    link.greet();
    link.welcome(0);
    for (let k = 0; k < 3; k++) link.sample();
    expect(link.short(link.sample())).toBe('s4');
    expect(link.state.dropped).toBe(1);
    expect(link.short(link.at(1000).tick())).toBe('d2 s2 s3 s4');
  });

  test('sends a raw window again when asked, after the ack too, and says gone when it is', () => {
    const link = machine({ samples: 2 });
    link.greet();
    link.welcome(0);
    const [first] = link.sample();
    expect(first.name === 'sample' && first.body.window).toBeNull();
    link.hear(17, 77, 1);
    const [again] = link.hear(22, 77, 1);
    expect(again.name === 'sample' && [again.body.seq, ...(again.body.window ?? [])]).toEqual([
      1, 249, 249, 249, 249,
    ]);
    link.sample();
    link.sample();
    expect(link.short(link.hear(22, 77, 1))).toBe('g1');
    expect(link.short(link.hear(22, 77, 900))).toBe('g900');
    expect(link.short(link.hear(22, 78, 2))).toBe('');
  });

  test('sends acknowledged samples again when a restored gateway has less than before', () => {
    const link = machine();
    link.greet();
    link.welcome(0);
    for (let k = 0; k < 3; k++) link.sample();
    link.hear(17, 77, 3);
    link.greet();
    expect(link.short(link.welcome(1))).toBe('s2 s3');
  });

  test('takes the policy of the welcome when it sends samples', () => {
    const link = machine();
    link.greet();
    link.hear(16, 77, 0, 0, 3, 64, 5);
    const kinds = Array.from({ length: 6 }, () => {
      const [message] = link.sample(4, 200);
      link.hear(17, 77, link.state.made);
      if (message.name !== 'sample') throw new Error(message.name);
      return (
        (message.body.embedding === null ? '-' : 'e') + (message.body.window === null ? '-' : 'w')
      );
    });
    expect(kinds).toEqual(['--', '--', 'e-', '--', 'ew', 'e-']);
  });
});

describe('travels()', () => {
  test('thins the embedding when the model is sure, and the raw window unless labelled', () => {
    expect(travels([10, 64, 0], 20, 200, null)).toBe(1);
    expect(travels([10, 64, 0], 21, 200, null)).toBe(0);
    expect(travels([10, 64, 0], 21, 63, null)).toBe(1);
    expect(travels([10, 64, 0], 21, 64, null)).toBe(0);
    expect(travels([0, 0, 0], 20, 0, null)).toBe(0);
    expect(travels([0, 0, 0], 20, 255, 0)).toBe(2);
    expect(travels([0, 0, 7], 21, 255, null)).toBe(2);
  });
});
