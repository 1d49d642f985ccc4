import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { minify } from 'terser';
import { describe, expect, test, vi } from 'vitest';
import { type Connection, connect } from '../../../gateway/link/connect.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { linkStore } from '../../support/link-store.ts';
import { hasSocat, ptyPair, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

const CORE = new URL('../../../device/core/', import.meta.url).pathname;

/** The link alone, on a serial port of Espruino for Linux; unpacks an offer to show that it can. */
const script = (tty: string) => `
import { encodeFrame, feed, frameDecoder, plainSuite } from '${CORE}frame.ts';
import { pack, unpack } from '${CORE}messages.ts';
import { GREET, TICK, WINDOW } from '${CORE}inputs.ts';
import { next, startLink } from '${CORE}link.ts';
const suite = plainSuite((bytes) => E.CRC32(bytes));
const decoder = frameDecoder(600);
const about = ['real-1', 'linux', 'gesture', new Uint8Array([1, 2, 3, 4, 5, 6, 7, 250]), 4, 1, 'convolve', 81920];
const link = startLink(2147483646, [1, 256, 0], 6, 4);
const now = () => Math.floor(getTime() * 1000) - started;
const started = Math.floor(getTime() * 1000);
const step = (code, fields) => {
  next(link, code, fields, now()).forEach((payload) => Serial1.write(encodeFrame(payload, suite.seal)));
};
Serial1.setup(115200, { path: '${tty}' });
Serial1.on('data', (data) => {
  feed(decoder, E.toUint8Array(data), suite.open, (payload) => {
    const f = unpack(payload);
    if (f === undefined) return;
    if (payload[0] === 18) Serial1.write(encodeFrame(pack(4, [f[0], 1, f[2][2][2]]), suite.seal));
    else if (payload[0] === 19) Serial1.write(encodeFrame(pack(4, [f[0], 2, E.CRC32(f[3])]), suite.seal));
    else step(payload[0], f);
  });
});
setInterval(() => { if (now() >= link.due) step(TICK, []); }, 100);
step(GREET, about);
let made = 0;
const making = setInterval(() => {
  made++;
  const window = new Int8Array(150);
  for (let k = 0; k < 150; k++) window[k] = (made * 31 + k * 7) % 256 - 128;
  step(WINDOW, [4, made % 6, made, 50, new Int8Array([made, -made, 0]), window, made % 5 === 0 ? 2 : null]);
  if (made === 30) clearInterval(making);
}, 20);
`;

describe('the link on real Espruino', () => {
  test.skipIf(!hasSocat || espruinoPath() === undefined)(
    `delivers samples, windows and chunks over a pty${skippedSocat}${skippedEspruino}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'link-espruino-'));
      const pair = await ptyPair();
      const store = linkStore(realClock, { commitMs: () => 5 });
      const gateway: Connection = await connect(serialPort(pair.a), store.handlers(), {
        policy: { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 },
        plain: true,
      });
      const bundle = await build({
        stdin: { contents: script(pair.b), resolveDir: CORE, loader: 'ts' },
        bundle: true,
        write: false,
        format: 'iife',
      });
      const { code } = await minify(bundle.outputFiles[0].text, {
        ecma: 2015,
        toplevel: true,
        // Espruino does not hoist, and inlined functions leave variables declared behind their use.
        compress: { inline: 1 },
      });
      writeFileSync(join(folder, 'link.js'), code as string);
      const espruino = spawn(espruinoPath() as string, ['link.js'], { cwd: folder, stdio: 'pipe' });
      let output = '';
      for (const stream of [espruino.stdout, espruino.stderr]) {
        stream.on('data', (chunk) => {
          output += chunk;
        });
      }
      try {
        await vi
          .waitUntil(() => store.stored.get(2147483646)?.size === 30, 20_000)
          .catch((e) => {
            console.log(
              output,
              gateway.stats(),
              store.hellos,
              store.stored.get(2147483646)?.size,
              store.lost,
            );
            throw e;
          });
        const stored = store.stored.get(2147483646)!;
        expect(store.hellos[0]).toMatchObject({ id: 'real-1', release: 4, slotBytes: 81920 });
        expect([...store.hellos[0].version]).toEqual([1, 2, 3, 4, 5, 6, 7, 250]);
        for (const [seq, sample] of stored) {
          expect([...sample.embedding!]).toEqual([seq, 256 - seq, 0]);
          expect(sample.window === null).toBe(seq % 5 !== 0);
          expect([sample.cls, sample.score, sample.length]).toEqual([seq % 6, seq, 50]);
        }
        gateway.ask([29, 28]);
        await vi.waitUntil(() => store.windows.length === 2, 20_000);
        for (const { seq, window } of store.windows) {
          const right = Int8Array.from({ length: 150 }, (_, k) => ((seq * 31 + k * 7) % 256) - 128);
          expect(new Int8Array(window!)).toEqual(right);
        }
        const id = new Uint8Array(8).fill(9);
        const refs: [Uint8Array, number, number] = [id, 300, 4294967291];
        gateway.offer(
          {
            release: 7,
            version: id,
            parts: [refs, refs, refs],
            goldenSeed: 5,
            goldenCount: 2,
            golden: new Uint8Array(12),
            ...{ trialWindows: 20, kind: 3_000_000_000, expires: 4_294_967_295 },
          },
          [],
        );
        await vi.waitUntil(() => store.statuses.length > 0, 20_000);
        expect(store.statuses[0]).toEqual({ release: 7, code: 1, detail: 4294967291 });
        expect(gateway.stats()).toMatchObject({ lost: 0, badFrames: 0, badMessages: 0 });
        expect(store.wrong).toEqual([]);
        expect(output).not.toMatch(/Uncaught|ERROR|FULL/);
      } finally {
        espruino.kill('SIGKILL');
        await gateway.close();
        await pair.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
