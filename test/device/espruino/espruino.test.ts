import { expect, test } from 'vitest';
import { type TinyModel, tinyModel, walk } from '../../../gateway/bench/faults/tiny-model.ts';
import { firstHalf } from '../../../gateway/link/virtual/flash.ts';
import { bench } from '../../support/device-bench.ts';
import { type EspruinoDevice, espruinoDevice } from '../../support/espruino-device.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

const skipped = skippedEspruino || skippedSocat;
const real = test.skipIf(!espruinoPath() || !hasSocat);

async function update(d: EspruinoDevice, model: TinyModel): Promise<void> {
  const release = model.offer[0];
  const saw = (code: number) => () =>
    d.gateway.statuses.some((status) => status[0] === release && status[1] === code);
  d.gateway.offer(model);
  await d.until(saw(4));
  d.gateway.confirm(release);
  await d.until(saw(5));
}

for (const [tier, suite] of [
  ['convolve', 'none'],
  ['reference', 'none'],
  ['convolve', 'ccm'],
  ['convolve', 'mac'],
] as const) {
  real(
    `bundle on the real Espruino learns, predicts and reverts bit for bit with ${tier} and ${suite}${skipped}`,
    async () => {
      const d = await espruinoDevice({ tier, suite });
      try {
        expect(d.gateway.hellos[0].slice(4, 7)).toEqual(['real', 'espruino-linux', 'gesture']);
        expect(d.gateway.hellos[0].slice(9)).toEqual([0, tier, 8192]);
        expect(await d.process.feedWindow(walk(1), 50)).toBeUndefined();
        const [first, second] = [tinyModel(1), tinyModel(2)];
        await update(d, first);
        const virtual = await bench();
        await virtual.update(first);
        for (let i = 0; i < 30; i++) {
          const n = 50 - (i % 20);
          const window = walk(i).fill(0, n * 3);
          const { cls, score } = first.predict(window, n);
          expect(await d.process.feedWindow(window, n)).toEqual({ cls, score });
          expect(virtual.device.feedWindow(window, n)).toEqual({ cls, score });
        }
        await virtual.settle();
        await d.until(() => d.gateway.samples.length === 30);
        const said = (fields: unknown[]): unknown[] =>
          fields.slice(3, 7).concat([...(fields[7] as Uint8Array)]);
        expect(d.gateway.samples.map(said)).toEqual(virtual.gateway.samples.map(said));
        await d.restart();
        expect(await d.runs([first, second])).toBe(first);
        d.gateway.offer(second);
        await d.until(() => d.gateway.statuses.some((status) => status[1] === 4));
        expect(await d.runs([first, second])).toBe(second);
        d.gateway.revert(2);
        await d.until(() => d.gateway.statuses.some((status) => status[1] === 6));
        expect(await d.runs([first, second])).toBe(first);
        if (d.link !== undefined) {
          expect(d.link.refused).toBe(0);
          const keys = { up: new Uint8Array(16).fill(77), down: new Uint8Array(16).fill(88) };
          d.gateway.send(23, [2, new Uint8Array([...keys.up, ...keys.down])]);
          d.link.keys = keys;
          await d.until(() => d.gateway.statuses.some((status) => status[1] === 14));
          d.gateway.offer(second);
          await d.until(() => d.gateway.statuses.filter((status) => status[1] === 4).length > 1);
          expect(await d.runs([first, second])).toBe(second);
        }
      } finally {
        await d.stop();
      }
    },
    120_000,
  );
}

real(
  `bundle on the real Espruino boots into the old or the new model on flash that a power cut left${skipped}`,
  async () => {
    const b = await bench();
    const [old, fresh, later] = [tinyModel(1), tinyModel(2, 2), tinyModel(3, 3)];
    await b.update(old);
    const from = b.device.flash.ops.length;
    await b.update(fresh);
    const { ops } = b.device.flash;
    let count = 0;
    for (let op = from; op <= ops.length; op += 2) {
      for (const tear of [undefined, firstHalf]) {
        const d = await espruinoDevice({ flash: b.device.flash.image(op, tear) });
        try {
          expect(await d.runs([old, fresh])).toBeDefined();
          const [release, state] = d.gateway.hellos.at(-1)!.slice(8, 10) as number[];
          if (state === 2) d.gateway.confirm(release);
          await update(d, later);
          expect(await d.runs([later])).toBe(later);
          count++;
        } finally {
          await d.stop();
        }
      }
    }
    console.log(`real Espruino: ${count} cuts`);
    expect(count).toBeGreaterThan(6);
  },
  300_000,
);

real(
  `bundle on the real Espruino finds the slot file that it made, among other boot files${skipped}`,
  async () => {
    const d = await espruinoDevice();
    try {
      const list = 'print(require("Storage").list().join())';
      expect(await d.process.run(list)).toBe('ws.slot');
      const space = 'print(require("Storage").getFree()%1024)';
      expect(await d.process.run(space)).toBe('0'); // it ends where a page ends
      await update(d, tinyModel(1));
      await d.process.run('require("Storage").write("user.txt","hello")');
      await d.restart();
      expect(await d.runs([tinyModel(1)])).toBeDefined();
      expect(await d.process.run(list)).toBe('ws.slot,user.txt');
    } finally {
      await d.stop();
    }
  },
  60_000,
);

real(
  `bundle on the real Espruino takes another session number at each boot${skipped}`,
  async () => {
    const d = await espruinoDevice();
    try {
      const sessions = [d.gateway.hellos[0][1]];
      for (let boot = 0; boot < 2; boot++) {
        await d.restart();
        sessions.push(d.gateway.hellos[0][1]);
      }
      expect(new Set(sessions).size).toBe(3);
      for (const session of sessions) {
        expect(Number.isInteger(session)).toBe(true);
        expect(session).toBeGreaterThan(0);
        expect(session).toBeLessThan(2 ** 31);
      }
    } finally {
      await d.stop();
    }
  },
  60_000,
);
