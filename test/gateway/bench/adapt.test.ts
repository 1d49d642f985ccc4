import { expect, it } from 'vitest';
import { benchAdapt } from '../../../gateway/bench/adapt.ts';

it('benchAdapt() says of every aim that there are no recordings, where there are none', async () => {
  const { bench, rows } = await benchAdapt({ data: '/nowhere' });
  expect(bench).toBe('adapt');
  expect(rows.length).toBeGreaterThanOrEqual(5);
  for (const { skipped, aim, value } of rows) {
    expect(skipped).toMatch(/no recordings/);
    if (aim !== undefined) expect(aim).toMatch(/^(at (least|most) |within )/);
    expect(value).toBeUndefined();
  }
});
