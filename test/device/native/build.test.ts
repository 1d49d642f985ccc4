import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COMPILER, KERNEL, KERNEL_DENSE } from '../../../device/native/blobs.ts';
import { blobsModule, buildBlobs, compilerVersion } from '../../../device/native/build.ts';

const found = compilerVersion();
const why =
  found === undefined
    ? 'arm-none-eabi-gcc is not installed'
    : `the compiler is ${found}, not ${COMPILER}`;
const skipped = found === COMPILER ? '' : ` (skipped: ${why})`;

it.skipIf(skipped !== '')(
  `buildBlobs() gives the committed bytes when built again${skipped}`,
  () => {
    const committed = readFileSync(
      new URL('../../../device/native/blobs.ts', import.meta.url),
      'utf8',
    );
    expect(blobsModule(buildBlobs())).toBe(committed);
  },
);

it('the kernels stay below 2 KB and 544 bytes', () => {
  expect(Buffer.from(KERNEL, 'base64').length).toBeLessThan(2048);
  expect(Buffer.from(KERNEL_DENSE, 'base64').length).toBeLessThan(544);
});
