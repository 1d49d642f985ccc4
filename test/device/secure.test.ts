import { describe, expect, test } from 'vitest';
import { kindOf } from '../../device/kind.ts';
import { testKeys } from '../../gateway/bench/faults/keyed-flash.ts';
import { tinyModel } from '../../gateway/bench/faults/tiny-model.ts';
import type { FlashImage } from '../../gateway/link/virtual/flash.ts';
import { type Bench, bench } from '../support/device-bench.ts';
import { gatewaySuite } from '../support/node-ciphers.ts';

const OFFER = 18;
const REKEY = 23;
const next = {
  up: new Uint8Array(16).map((_, i) => 3 * i + 100),
  down: new Uint8Array(16).map((_, i) => 90 - 5 * i),
};

/** Sends new keys, and hears under them from then on. */
async function rekey(b: Bench, generation: number): Promise<void> {
  b.gateway.send(REKEY, [generation, new Uint8Array([...next.up, ...next.down])]);
  b.link!.keys = next;
  await b.settle();
}

for (const suite of ['ccm', 'mac'] as const) {
  describe(`a device with ${suite}`, () => {
    test('speaks under a higher epoch after each boot, which is its session too', async () => {
      const b = await bench({ suite });
      for (let boot = 0; boot < 40; boot++) {
        b.device.restart();
        await b.settle(50);
        b.device.powerOff(); // before it is welcome or after, epochs rise
      }
      b.device.restart();
      await b.settle();
      const sessions = b.gateway.hellos.map((hello) => hello[1] as number);
      expect(sessions[0]).toBe(testKeys.sequence + 1);
      expect(sessions).toEqual([...new Set(sessions)].sort((x, y) => x - y));
      expect(b.link!.deviceEpoch).toBe(testKeys.sequence + 42);
      expect(b.device.flash.overwritten).toBe(0);
      const erased = b.device.flash.ops.filter((op) => op.kind === 'erase').length;
      expect(erased).toBeLessThan(2); // 16 records a page
    });

    test('takes new keys, keeps them over a restart, and says which it has', async () => {
      const b = await bench({ suite });
      expect(await b.update(tinyModel(1))).toBe(true);
      b.gateway.statuses.length = 0;
      await rekey(b, 7);
      expect(b.gateway.statuses).toEqual([[7, 14, 0]]);
      b.device.restart();
      await b.settle();
      expect(await b.update(tinyModel(2))).toBe(true);
      b.gateway.statuses.length = 0;
      b.gateway.send(REKEY, [7, new Uint8Array(32)]);
      b.gateway.send(REKEY, [3, new Uint8Array(32)]);
      b.gateway.send(REKEY, [9, new Uint8Array(31)]);
      await b.settle();
      expect(b.gateway.statuses).toEqual([7, 7, 7].map((generation) => [generation, 14, 0]));
      expect(b.link!.refused).toBe(0);
    });

    test('opens under the old keys or the new ones when power is cut at any operation of a rekey', async () => {
      const b = await bench({ suite });
      const { flash } = b.device;
      const from = flash.ops.length;
      await rekey(b, 2);
      let count = 0;
      for (let op = from; op <= flash.ops.length; op++) {
        const tears = [undefined, ...(op < flash.ops.length ? [8, 20, 60] : [])];
        for (const tear of tears) {
          const image: FlashImage =
            tear === undefined ? flash.image(op) : flash.image(op, (index) => index < tear);
          const again = await bench({ suite, flash: image });
          const heard = again.gateway.hellos.length > 0;
          if (!heard) {
            again.link!.keys = next;
            again.device.restart();
            await again.settle();
          }
          expect([op, tear, again.gateway.hellos.length > 0]).toEqual([op, tear, true]);
          expect(await again.update(tinyModel(4))).toBe(true);
          count++;
        }
      }
      expect(count).toBeGreaterThan(4);
    });

    test('refuses an offer for another board or task, and one whose time is over', async () => {
      const b = await bench({ suite }); // the welcome says 1 s
      const offer = tinyModel(1).offer;
      const send = async (change: [at: number, value: number]): Promise<number[]> => {
        b.gateway.statuses.length = 0;
        b.gateway.send(OFFER, offer.with(...change) as never);
        await b.settle(20);
        return b.gateway.statuses.map((status) => status[1]!);
      };
      expect(await send([7, kindOf('puckjs', 'gesture')])).toEqual([15]);
      expect(await send([7, kindOf('espruino-linux', 'motor')])).toEqual([15]);
      expect(await send([8, 0])).toEqual([16]);
      expect(await send([8, 1])).toEqual([1]);
    });

    test('counts what is forged, repeated or damaged, and says so', async () => {
      const b = await bench({ suite });
      const heard: Uint8Array[] = [];
      const { write } = b.device.port;
      b.device.port.write = (bytes) => {
        heard.push(bytes.slice());
        write(bytes);
      };
      await b.update(tinyModel(1));
      const statuses = b.gateway.statuses.length;
      for (const frame of heard) write(frame); // all of it once more
      await b.settle();
      expect(b.gateway.events.at(-1)!.slice(1)).toEqual([2, heard.length, 0]);
      expect(b.gateway.statuses.length).toBe(statuses);
      const bent = heard[0]!.slice();
      bent[5] = bent[5] === 7 ? 8 : 7;
      write(bent);
      await b.settle();
      expect(b.gateway.events.at(-1)!.slice(1)).toEqual([2, heard.length + 1, 0]);
    });

    test('follows a gateway that has started again, and hears no older one', async () => {
      const b = await bench({ suite });
      const later = gatewaySuite(suite, testKeys, 2);
      later.deviceEpoch = b.link!.deviceEpoch;
      const old = b.link!.seal;
      const hellos = b.gateway.hellos.length;
      Object.assign(b.link!, { seal: later.seal, open: later.open });
      b.gateway.send(17, [0, 0]);
      await b.settle();
      expect(b.gateway.hellos.length).toBe(hellos + 1);
      b.link!.seal = old;
      b.gateway.send(17, [0, 0]);
      await b.settle();
      expect(b.gateway.hellos.length).toBe(hellos + 1);
      expect(b.gateway.events.at(-1)!.slice(1)).toEqual([2, 1, 0]);
    });
  });
}
