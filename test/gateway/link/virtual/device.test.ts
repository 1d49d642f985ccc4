import { expect, test } from 'vitest';
import { integers, tinyModel, walk } from '../../../../gateway/bench/faults/tiny-model.ts';
import { loadBoard } from '../../../../gateway/board.ts';
import { virtualClock } from '../../../../gateway/link/virtual/clock.ts';
import { createVirtualDevice } from '../../../../gateway/link/virtual/device.ts';
import { bench, bundleOf } from '../../../support/device-bench.ts';

test('createVirtualDevice() says hello and predicts nothing when it is empty', async () => {
  const { device, gateway } = await bench({ id: 'w-1' });
  const [hello] = gateway.hellos;
  expect(hello.slice(4, 7)).toEqual(['w-1', 'espruino-linux', 'gesture']);
  expect(hello.slice(8)).toEqual([0, 0, 'convolve', 8192]);
  expect(device.feedWindow(walk(1), 50)).toBeUndefined();
  expect(device.printed).toEqual([]);
});

for (const board of ['espruino-linux', 'puckjs', 'banglejs1', 'banglejs2', 'pixljs']) {
  for (const withoutConvolve of [false, true]) {
    // where room is short, what every firmware has is taken for granted
    if (withoutConvolve && !loadBoard(board).tiers.includes('reference')) continue;
    const tier = withoutConvolve ? 'reference' : 'convolve';
    test(`createVirtualDevice() predicts bit for bit as the gateway does on ${board} with ${tier}`, async () => {
      const b = await bench({ board, faults: { withoutConvolve } });
      const model = tinyModel(3);
      expect(await b.update(model)).toBe(true);
      for (let i = 0; i < 40; i++) {
        const n = 50 - (i % 30);
        const window = walk(i).fill(0, n * 3);
        const { cls, score } = model.predict(window, n);
        expect(b.device.feedWindow(window, n)).toEqual({ cls, score });
      }
      await b.settle();
      expect(b.gateway.samples.map((fields) => fields[1])).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      );
      expect(b.gateway.hellos.at(-1)?.[10]).toBe(tier);
    });
  }
}

test('createVirtualDevice() sends label and raw window when a window is labelled', async () => {
  const b = await bench();
  await b.update(tinyModel(1));
  const window = walk(9);
  b.device.feedWindow(window, 50, 4);
  b.device.feedWindow(window, 50);
  await b.settle();
  const [labelled, plain] = b.gateway.samples;
  expect(labelled[9]).toBe(4);
  expect([...(labelled[8] as Uint8Array)]).toEqual([...new Uint8Array(window.buffer)]);
  expect([plain[8], plain[9]]).toEqual([null, null]);
});

test('createVirtualDevice() cuts samples into windows when it is fed a stream', async () => {
  const b = await bench();
  const model = tinyModel(1);
  await b.update(model);
  const random = integers(5);
  const rest = (): void => {
    for (let i = 0; i < 12; i++) b.device.feedSample([1, 2, 3]);
  };
  for (let gesture = 0; gesture < 3; gesture++) {
    rest();
    for (let i = 0; i < 20; i++) b.device.feedSample([0, 1, 2].map(() => random(200) - 100));
    rest();
  }
  await b.settle();
  expect(b.device.predictions.length).toBe(3);
  expect(b.gateway.samples.length).toBe(3);
});

test('createVirtualDevice() keeps its model when it restarts, and counts trial boots', async () => {
  const b = await bench();
  const [first, second] = [tinyModel(1), tinyModel(2)];
  await b.update(first);
  b.gateway.offer(second);
  await b.settle();
  for (const runs of [second, second, second, first, first]) {
    b.device.restart();
    await b.settle();
    expect(b.runs([first, second])).toBe(runs);
  }
  const states = b.gateway.hellos.map((hello) => [hello[8], hello[9]].join(':'));
  expect(states.slice(-5)).toEqual(['2:2', '2:2', '2:2', '1:1', '1:1']);
});

test('createVirtualDevice() goes back by itself when its trial windows run out', async () => {
  const b = await bench();
  const [first, second] = [tinyModel(1), tinyModel(2, 1, 6)];
  await b.update(first);
  b.gateway.offer(second);
  await b.settle();
  for (let i = 0; i < 6; i++) b.device.feedWindow(walk(i), 50);
  expect(b.runs([first, second])).toBe(first);
  await b.settle();
  expect(b.gateway.statuses.at(-1)).toEqual([2, 13, 0]);
});

test('createVirtualDevice() is without power when it is cut', async () => {
  const b = await bench({ faults: { cutAfterOps: 5 } });
  const model = tinyModel(1);
  expect(await b.update(model)).toBe(false);
  expect(b.device.alive).toBe(false);
  expect(b.device.flash.ops.length).toBe(5);
  expect(b.device.feedWindow(walk(1), 50)).toBeUndefined();
  b.device.restart();
  await b.settle();
  expect(b.device.alive).toBe(true);
  expect(await b.update(model)).toBe(true);
});

test('createVirtualDevice() falls silent when it is told to, and finishes an update after a restart', async () => {
  const b = await bench({ faults: { stopAnsweringAfter: 150 } });
  const model = tinyModel(1);
  expect(await b.update(model)).toBe(false);
  expect(b.device.alive).toBe(true);
  b.device.restart();
  await b.settle();
  expect(await b.update(model)).toBe(true);
});

test('createVirtualDevice() asks again when chunks are lost', async () => {
  const b = await bench({ faults: { loss: 0.3 } });
  const model = tinyModel(1);
  for (let turn = 0; turn < 40 && b.runs([model]) === undefined; turn++) {
    b.gateway.offer(model);
    await b.settle(5000);
  }
  expect(b.runs([model])).toBe(model);
});

test('createVirtualDevice() says what to do when Storage holds something else', async () => {
  const clock = virtualClock();
  const board = loadBoard('espruino-linux');
  const bundle = await bundleOf();
  const page = new Uint8Array(1024).fill(255);
  page.set([4, 0, 0, 0, ...Buffer.from('app.js')]);
  page.fill(0, 10, 32);
  const flash = new Map([[0, page]]);
  const device = createVirtualDevice({ bundle, id: 'full', board, clock, flash });
  expect(device.printed.length).toBe(1);
  expect(device.printed[0]).toContain('eraseAll()');
  expect(device.flash.ops.length).toBe(0);
});

test('createVirtualDevice() is cheap: each device has a context of its own, one compiled script', async () => {
  const clock = virtualClock();
  const board = loadBoard('puckjs');
  const bundle = await bundleOf('puckjs');
  const devices = Array.from({ length: 200 }, (_, i) =>
    createVirtualDevice({ bundle, id: `d${i}`, board, clock }),
  );
  const hellos = new Set<number>();
  for (const device of devices) {
    await device.port.open();
    device.port.onData((bytes) => hellos.add(bytes.length));
  }
  await clock.advance(3000);
  expect(hellos.size).toBeGreaterThan(0);
  expect(devices.every((device) => device.alive)).toBe(true);
  for (const device of devices) await device.dispose();
});
