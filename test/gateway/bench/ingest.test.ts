import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodeFrame, feed, frameDecoder } from '../../../device/core/frame.ts';
import { frameDevice } from '../../../gateway/bench/ingest/device.ts';
import { jsonDevice, lines } from '../../../gateway/bench/ingest/json.ts';
import { piece, pieces } from '../../../gateway/bench/ingest/pieces.ts';
import { benchIngest } from '../../../gateway/bench/ingest.ts';
import { composeMessage, parseMessage } from '../../../gateway/link/messages.ts';
import { none } from '../../../gateway/link/suites/none.ts';
import { loadTask } from '../../../gateway/task.ts';

const hasNodeRed = existsSync('node_modules/node-red');

it('benchIngest() puts real frames through a gateway, beside Node-RED where that is installed', {
  timeout: 120_000,
}, async () => {
  const { rows: all } = await benchIngest({
    devices: [2],
    windows: 200,
    phases: 1,
    memoryWindows: 1000,
  });
  const figures = all.filter(({ skipped }) => skipped === undefined);
  expect(all.filter(({ skipped }) => skipped !== undefined)).toHaveLength(hasNodeRed ? 0 : 3);
  for (const suite of ['none', 'ccm', 'mac']) {
    const own = figures.filter(({ name }) => name.startsWith(`2 devices, ${suite}:`));
    expect(own).toHaveLength(4);
    for (const { value, peerValue } of own) {
      expect(value).toBeGreaterThan(0);
      if (hasNodeRed) expect(peerValue).toBeGreaterThan(0);
    }
  }
  const parts = figures.filter(({ name }) => name.startsWith('2 devices, alone:'));
  expect(parts).toHaveLength(9);
  const of = (name: string) => parts.find((row) => row.name.endsWith(`: ${name}`))?.value;
  for (const { value } of parts) expect(value).toBeGreaterThan(0);
  const [rows, monitor, read] = [
    of('SQLite takes the rows, with the indexes'),
    of('the monitor'),
    of('frames are read, ccm'),
  ] as [number, number, number];
  expect(of('all three, ccm')).toBeCloseTo(rows + monitor + read, 1);
  expect(figures.filter(({ unit }) => unit === 'MB')).toHaveLength(2);
});

it('frameDevice() stays as it is when it is welcomed again, windows made before and those behind', () => {
  const sent: Uint8Array[] = [];
  const device = frameDevice(0, loadTask('gesture'), 'none', undefined, (bytes) =>
    sent.push(bytes),
  );
  device.hello();
  expect(sent).toHaveLength(1);
  const welcome = { session: 7, time: 0, ackSeq: 0, confidentOneIn: 4, uncertainBelow: 96 };
  const again = encodeFrame(composeMessage('welcome', { ...welcome, rawOneIn: 0 }), none.seal);
  const seqs = (windows: number): number[] => {
    const { bytes, ends } = device.make(windows);
    const found: number[] = [];
    feed(frameDecoder(2048), bytes, none.open, (payload) => {
      const message = parseMessage(payload);
      if (message?.name === 'sample') found.push(message.body.seq);
    });
    expect(ends).toHaveLength(windows);
    expect(ends.at(-1)).toBe(bytes.length);
    return found;
  };
  for (const from of [1, 4, 7]) {
    // the answer to a hello that was repeated: nothing of before is unacknowledged, whatever it says
    expect(device.receive(again)).toBe(0);
    expect(device.isUp).toBe(true);
    expect(seqs(3)).toEqual([from, from + 1, from + 2]);
  }
  expect(sent).toHaveLength(1);
});

it('pieces() and lines() give back what was sent, however it was cut', () => {
  const sent = [3, 0, 65_535].map((stream) => piece(stream, Uint8Array.of(stream % 7, 10, 0)));
  const bytes = new Uint8Array(Buffer.concat(sent));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const got: [number, number[]][] = [];
    const take = pieces((stream, view) => got.push([stream, [...view]]));
    take(bytes.subarray(0, cut));
    take(bytes.subarray(cut));
    expect(got).toEqual([
      [3, [3, 10, 0]],
      [0, [0, 10, 0]],
      [65_535, [1, 10, 0]],
    ]);
  }
  const { bytes: json, ends } = jsonDevice(4, loadTask('gesture')).make(20);
  const got: { index: number; seq: number; embedding: number[] | null }[] = [];
  const take = lines((line) => got.push(JSON.parse(line)));
  for (let i = 0; i < json.length; i += 7) take(json.subarray(i, i + 7));
  expect(got.map(({ index, seq }) => [index, seq])).toEqual(ends.map((_, i) => [4, i + 1]));
  // the task's policy: of confident windows one in four carries its embedding, uncertain ones all do
  const carried = got.filter(({ embedding }) => embedding !== null).length;
  expect(carried).toBeGreaterThanOrEqual(5);
  expect(carried).toBeLessThan(20);
});
