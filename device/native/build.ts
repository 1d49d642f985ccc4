import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// `npm run native`: makes blobs.ts from the sources beside this file; with --check it only compares.

const CROSS = 'arm-none-eabi-';
/** What the issue of the tier allows a kernel. */
const MOST_BYTES = 2048;
const COMPILE = ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=soft', '-Os', '-ffreestanding'];
const WARN = ['-ffunction-sections', '-Wall', '-Wextra', '-Werror'];
const LINK = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,--fatal-warnings'];
const BLOB = ['-Wl,-T,blob.ld', '-Wl,-e,ws_layer', '-Wl,--emit-relocs'];
const HARNESS = [
  '-s',
  '-Wl,-T,harness.ld',
  '-Wl,-z,max-page-size=16',
  '-Wl,--no-warn-rwx-segments',
];
/** What a call or jump to code at a fixed distance leaves; anything else would know its address. */
const RELATIVE = /^R_ARM_THM_(CALL|JUMP\d+)$/;

/** Machine code, as in blobs.ts. */
export interface Blobs {
  /** version of the compiler */
  compiler: string;
  kernel: Uint8Array;
  kernelDense: Uint8Array;
  /** an ELF file */
  harness: Uint8Array;
}

/** Version of arm-none-eabi-gcc, or undefined where there is none. */
export function compilerVersion(): string | undefined {
  try {
    return execFileSync(`${CROSS}gcc`, ['-dumpfullversion'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * Compiles the kernels and their harness.
 *
 * @throws Error if the compiler is missing or warns, or a kernel is longer than 2 KB, has data or
 *   knows where it lies
 */
export function buildBlobs(): Blobs {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-native-'));
  const run = (tool: string, args: string[]): string =>
    execFileSync(CROSS + tool, args, { cwd: import.meta.dirname, encoding: 'utf8' });
  const link = (name: string, args: string[]): string => {
    const elf = join(folder, `${name}.elf`);
    run('gcc', [...COMPILE, ...WARN, ...LINK, ...args, '-o', elf]);
    return elf;
  };
  const blob = (name: string, args: string[]): Uint8Array => {
    const elf = link(name, [...BLOB, ...args]);
    const relocations = run('readelf', ['-rW', elf]).match(/R_ARM_\w+/g) ?? [];
    const absolute = relocations.filter((type) => !RELATIVE.test(type));
    if (absolute.length > 0) throw new Error(`${name} knows where it lies: ${absolute.join(', ')}`);
    run('objcopy', ['-O', 'binary', '-j', '.text', elf, join(folder, name)]);
    const bytes = readFileSync(join(folder, name));
    if (bytes.length > MOST_BYTES) throw new Error(`${name} has ${bytes.length} bytes`);
    return bytes;
  };
  try {
    return {
      compiler: compilerVersion() ?? '',
      kernel: blob('kernel', ['rows.S', 'layer.c']),
      kernelDense: blob('kernel-dense', ['-DDENSE_ONLY', 'rows.S']),
      harness: readFileSync(link('harness', [...HARNESS, 'harness.c'])),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The module that carries blobs, in base64. */
export function blobsModule(blobs: Blobs): string {
  const text = (name: string, about: string, bytes: Uint8Array): string =>
    `/** ${about}; ${bytes.length} bytes. */\nexport const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;
  return [
    '// Written by `npm run native` from the sources beside it; do not edit.\n',
    `/** Version of arm-none-eabi-gcc that gives these bytes. */\nexport const COMPILER = '${blobs.compiler}';\n`,
    text('KERNEL', 'Thumb-2 code of ws_layer at its start: dense and convolution', blobs.kernel),
    text('KERNEL_DENSE', 'The same for dense layers alone, see layer.c', blobs.kernelDense),
    text('HARNESS', 'ELF file that runs them on an emulated board, see harness.c', blobs.harness),
  ].join('\n');
}

if (import.meta.main) {
  const file = join(import.meta.dirname, 'blobs.ts');
  const blobs = buildBlobs();
  const written = blobsModule(blobs);
  const same = readFileSync(file, { encoding: 'utf8', flag: 'a+' }) === written;
  if (!process.argv.includes('--check')) writeFileSync(file, written);
  else if (!same) process.exitCode = 1;
  const sizes = `kernel ${blobs.kernel.length} bytes, kernel-dense ${blobs.kernelDense.length}`;
  console.log(`${sizes}; blobs.ts ${same ? 'is as built' : 'differed'}`);
}
