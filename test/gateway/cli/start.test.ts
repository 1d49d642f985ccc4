import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProcess } from '../../support/gateway-process.ts';
import { temporary } from '../../support/loop-world.ts';

it('start() says how to go on when Ctrl-C stops it', async () => {
  const args = ['--virtual', '1', '--http-port', '0', '--data-dir', join(temporary(), 'data')];
  const gateway = startProcess(...args);
  await gateway.says('page:');
  gateway.child.kill('SIGINT');
  expect(await gateway.ended).toBe(0);
  expect(gateway.output.out.trim().split('\n').at(-1)).toBe(
    `stopped; go on with: npm start -- ${args.join(' ')}`,
  );
});
