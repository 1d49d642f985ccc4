import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KERNEL, KERNEL_DENSE } from '../../../device/native/blobs.ts';
import { denseNet } from '../../../gateway/bench/nets.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { type GoldenNet, goldenNets } from '../../support/golden-nets.ts';
import { referenceNet } from '../../support/reference-kernel.ts';

/** An Arm build of Espruino, as a command line: "qemu-arm /path/espruino". */
const command = process.env.WHETSTONE_ESPRUINO_ARM?.split(' ');
const skipped = command === undefined ? ' (skipped: WHETSTONE_ESPRUINO_ARM is not set)' : '';
/** So much of a script fits beside what it makes. */
const SCRIPT_BYTES = 12_000;

function run(script: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'espruino-arm-'));
  try {
    const file = join(folder, 'script.js');
    writeFileSync(file, script);
    const [program, ...args] = command!;
    const options = { cwd: folder, encoding: 'latin1', timeout: 30_000, input: '' } as const;
    const done = spawnSync(program!, [...args, file], options);
    expect([done.status, done.signal]).toEqual([0, null]);
    const text = done.stdout.replaceAll('\r', '').replace(/^[\s\S]*?espruino\.com\/Donate\n+/, '');
    return text.trimEnd().replace(/>$/, '').split('\n').filter(Boolean);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Runs layers one after the other in an arena: activations from both its ends, scratch behind. */
const prelude = (kernel: string): string => `
var call = E.nativeCall(1, "int(int,int,int,int)", atob("${kernel}"));
function bytes(text) { return E.toUint8Array(atob(text)); }
function run(part, input, outputs, room) {
  var second = input.length + 4 & ~3;
  var arena = new Int8Array(second + outputs + room + 32);
  arena.set(input, 0);
  var at = E.getAddressOf(arena, true);
  var layer = new Uint8Array(part.buffer, part.byteOffset + 4, 20);
  var returned = call(E.getAddressOf(layer, true), at, at + second, at + second + (outputs + 4 & ~3));
  return returned + ":" + new Int8Array(arena.subarray(second, second + outputs)).join();
}
`;

/** What the test expects a net to print, and the statement that prints it. */
function statement({ layers, input, output }: GoldenNet): [string, string] {
  const part = base64(encodeLayers(layers, 0));
  const values = `new Int8Array([${input}])`;
  return [
    `0:${output.join()}`,
    `print(run(bytes("${part}"), ${values}, ${output.length}, ${layers[0]!.type === 'dense' ? 0 : 400}));\n`,
  ];
}

describe.skipIf(command === undefined)(`E.nativeCall() on Arm Espruino${skipped}`, () => {
  it('E.nativeCall() of the kernel equals TensorFlow Lite Micro when given golden vectors', () => {
    const nets = new Map([...goldenNets('dense'), ...goldenNets('conv2d')].map((n) => [n.name, n]));
    const scripts: [string[], string][] = [];
    for (const net of nets.values()) {
      const [wanted, code] = statement(net);
      if (code.length > SCRIPT_BYTES / 2) continue;
      const last = scripts.at(-1);
      if (last === undefined || last[1].length + code.length > SCRIPT_BYTES) {
        scripts.push([[wanted], prelude(KERNEL) + code]);
      } else {
        last[0].push(wanted);
        last[1] += code;
      }
    }
    expect(scripts.flatMap(([wanted]) => wanted).length).toBeGreaterThan(20);
    for (const [wanted, script] of scripts) expect(run(script)).toEqual(wanted);
  });

  it('E.nativeCall() still gives the right numbers when E.defrag has moved code and arrays', () => {
    const { layers, inputs } = denseNet([33, 20]);
    const input = Int8Array.from({ length: inputs }, (_, i) => 29 * i);
    const wanted = `0:${referenceNet(layers, input).join()}`;
    const script = `
var junk = []; for (var i = 0; i < 60; i++) junk.push("a string that fills some variables " + i);
${prelude(KERNEL_DENSE)}
var part = bytes("${base64(encodeLayers(layers, 0))}"), input = new Int8Array([${input}]);
print(run(part, input, 20, 0));
var before = E.getAddressOf(part, true);
junk = undefined;
E.defrag();
print(E.getAddressOf(part, true) == before);
print(run(part, input, 20, 0));
`;
    expect(run(script)).toEqual([wanted, 'false', wanted]);
  });
});
