import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testKeys } from '../../../gateway/bench/faults/keyed-flash.ts';
import { coreScript } from '../../support/core-script.ts';
import { CIPHERS } from '../../support/node-ciphers.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../../support/run-espruino.ts';

const real = test.skipIf(espruinoPath() === undefined);
const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));

/** Runs a program over the core and the board's own natives; it has `bytes(hex)` and `hex(bytes)`. */
async function onBoard(program: string): Promise<string[]> {
  const code = await coreScript(`
    import { ccm, ccmMask, ccmTag, mac, secureSuite } from './secure.ts';
    import { flat } from './flat.ts';
    import { plainSuite } from './frame.ts';
    import { boardAes, boardHmac } from '../espruino/crypto.ts';
    function bytes(text) {
      const out = new Uint8Array(text.length / 2);
      for (let i = 0; i < out.length; i++) out[i] = parseInt(text.substr(2 * i, 2), 16);
      return out;
    }
    function hex(b) {
      let out = '';
      for (let i = 0; i < b.length; i++) out += (256 + b[i]).toString(16).substr(1);
      return out;
    }
    ${program}`);
  const printed = await runEspruino(`var library=require;${code}`, { timeoutMs: 120_000 });
  return printed.trim().split('\n');
}

real(`ccm on the real Espruino gives the packets of RFC 3610${skippedEspruino}`, async () => {
  const { packets } = vectors('rfc3610') as { packets: Record<string, string>[] };
  const printed = await onBoard(`
    const aes = boardAes();
    ${JSON.stringify(packets)}.forEach((p) => {
      const key = bytes(p.key), nonce = bytes(p.nonce), text = bytes(p.text), more = bytes(p.associated);
      const first = [89, nonce, 0, text.length, 0, more.length, more, new Uint8Array(14 - more.length)];
      const out = ccmMask(aes, key, nonce, [ccmTag(aes, key, first, text), new Uint8Array(8), text]);
      print(hex(out.subarray(16, 16 + text.length)) + ' ' + hex(out.subarray(0, 8)));
    });`);
  expect(printed).toEqual(packets.map(({ encrypted, tag }) => `${encrypted} ${tag}`));
});

real(
  `boardHmac() on the real Espruino gives the digests of RFC 2202${skippedEspruino}`,
  async () => {
    const { cases } = vectors('rfc2202') as { cases: Record<string, string>[] };
    const printed = await onBoard(`
    ${JSON.stringify(cases)}.forEach((c) => print(hex(boardHmac(bytes(c.key), bytes(c.data)))));`);
    expect(printed).toEqual(cases.map(({ digest }) => digest));
  },
);

for (const name of ['ccm', 'mac'] as const) {
  real(
    `${name} on the real Espruino agrees with Node when messages are random${skippedEspruino}`,
    async () => {
      const bodies = fc.sample(fc.uint8Array({ maxLength: 700 }), { numRuns: 25, seed: 3 });
      const nonce = new Uint8Array(13).map((_, i) => 200 - 7 * i);
      const head = new Uint8Array([41, 0, 0, 0, 9, 0, 0, 0]);
      const hexed = bodies.map((body) => Buffer.from(body).toString('hex'));
      const sealed = bodies.map((body) =>
        Buffer.from(CIPHERS[name].peer.lock(testKeys.up, nonce, head, body)).toString('hex'),
      );
      const printed = await onBoard(`
        const cipher = ${name === 'ccm' ? 'ccm(boardAes())' : 'mac(boardHmac)'};
        const key = new Uint8Array([${testKeys.up}]), nonce = new Uint8Array([${nonce}]);
        const head = new Uint8Array([${head}]);
        ${JSON.stringify(hexed)}.forEach((text) => {
          const sealed = cipher.lock(key, nonce, head, bytes(text));
          const back = hex(cipher.unlock(key, nonce, sealed));
          sealed[7] = (sealed[7] + 1) % 256;
          print(hex(cipher.lock(key, nonce, head, bytes(text))), back === text,
            cipher.unlock(key, nonce, sealed) === undefined);
        });`);
      expect(printed).toEqual(sealed.map((text) => `${text} true true`));
    },
    120_000,
  );
}

real(`a frame's seal on the real Espruino, beside that of none${skippedEspruino}`, async () => {
  const printed = await onBoard(`
    const keys = flat([1, 0, new Uint8Array(32).fill(7)]);
    const suites = [plainSuite(E.CRC32), secureSuite(ccm(boardAes()), 5, keys), secureSuite(mac(boardHmac), 5, keys)];
    const body = new Uint8Array(180).fill(3);
    print(suites.map((suite) => {
      const start = getTime();
      for (let i = 0; i < 300; i++) suite.seal(body);
      return Math.round((getTime() - start) * 1e6 / 300);
    }).join());`);
  const [none, ccm, mac] = printed[0]!.split(',').map(Number) as [number, number, number];
  const ratio = (value: number): string => (value / none).toFixed(1);
  console.log(`seal of 180 bytes: none ${none} µs, ccm ${ratio(ccm)}×, mac ${ratio(mac)}×`);
  expect(Math.min(none, ccm, mac)).toBeGreaterThan(0);
});
