import { expect, it } from 'vitest';
import { benchLua } from '../../../gateway/bench/lua.ts';
import { denseNet } from '../../../gateway/bench/nets.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { hasLua, skippedLua } from '../../support/lua.ts';

it.skipIf(!hasLua('lua5.1'))(
  `benchLua() times the tier and a plain loop that gives the same numbers${skippedLua('lua5.1')}`,
  async () => {
    const [row] = await benchLua('lua5.1', [denseNet([33, 20, 6])]);
    expect(row!.net).toBe('33→20→6');
    expect(row!.tierUs).toBeGreaterThan(0);
    expect(row!.plainUs).toBeGreaterThan(0);
  },
  30_000,
);

it('benchLua() says what to install when there is no such Lua', async () => {
  const error = await benchLua('no-such-lua', [denseNet([4, 2])]).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(GatewayError);
  expect((error as GatewayError).code).toBe('missing-tool');
});
