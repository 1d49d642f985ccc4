import { expect, onTestFinished, test, vi } from 'vitest';
import type { Port } from '../../../gateway/link/port.ts';

/** A port with what is at its other end. */
export interface Joined {
  port: Port;
  /** What the device sends. */
  say(bytes: Uint8Array): void;
  /** Sets who hears what arrives at the device. */
  hear(receiver: (bytes: Uint8Array) => void): void;
  /** Takes the device away. */
  lose: () => void | Promise<void>;
  /** Gives it back. */
  restore: () => void | Promise<void>;
  end(): Promise<void>;
}

/** Opens a port as its driver does: again and again until it is there. */
async function opened(port: Port): Promise<void> {
  for (;;) {
    try {
      return await port.open();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What every port does. @param make a port, closed, with a device at its other end */
export function portContract(make: () => Promise<Joined>, skip = false): void {
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

  test.skipIf(skip)(
    'carries every byte in order, both ways, and says when it has sent',
    async () => {
      const { port, say, hear, end } = await make();
      onTestFinished(end);
      const [there, back]: number[][] = [[], []];
      hear((piece) => there.push(...piece));
      port.onData((piece) => back.push(...piece));
      let drains = 0;
      port.flow?.onDrain(() => drains++);
      await port.open();
      await port.open(); // an open one stays open
      for (let at = 0; at < bytes.length; at += 117) port.write(bytes.subarray(at, at + 117));
      say(bytes);
      await vi.waitUntil(() => there.length >= bytes.length && back.length >= bytes.length, 15_000);
      expect([there, back]).toEqual([[...bytes], [...bytes]]);
      if (port.flow !== undefined) {
        await vi.waitUntil(() => port.flow!.queued === 0, 15_000);
        expect(drains).toBeGreaterThan(0);
      }
    },
  );

  test.skipIf(skip)(
    'says that it was closed without a reason, loses what is written then, and opens again',
    async () => {
      const { port, hear, end } = await make();
      onTestFinished(end);
      const closes: unknown[] = [];
      const there: number[] = [];
      hear((piece) => there.push(...piece));
      port.onClose((why) => closes.push(why));
      port.write(Uint8Array.of(1));
      await port.open();
      await port.close();
      await port.close();
      expect(closes).toEqual([undefined]);
      port.write(Uint8Array.of(2));
      expect(port.flow?.queued ?? 0).toBe(0);
      await opened(port);
      port.write(Uint8Array.of(3));
      await vi.waitUntil(() => there.length > 0, 15_000);
      expect(there).toEqual([3]);
    },
  );

  test.skipIf(skip)(
    'says once that it was lost and why, and opens again when the device is back',
    async () => {
      const { port, hear, lose, restore, end } = await make();
      onTestFinished(end);
      const closes: (Error | undefined)[] = [];
      const there: number[] = [];
      hear((piece) => there.push(...piece));
      port.onClose((why) => closes.push(why));
      await port.open();
      await lose();
      await vi.waitUntil(() => closes.length > 0, 15_000);
      expect(closes).toMatchObject([{ name: 'GatewayError', code: 'port' }]);
      expect(port.flow?.queued ?? 0).toBe(0);
      await restore();
      await opened(port);
      port.write(Uint8Array.of(9));
      await vi.waitUntil(() => there.length > 0, 15_000);
      expect([there, closes.length]).toEqual([[9], 1]);
    },
  );
}
