import { expect, it } from 'vitest';
import { benchStore } from '../../../gateway/bench/store.ts';

it('benchStore() measures a store with a key beside one without', async () => {
  const { rows } = await benchStore({ windows: 300, runs: 1 });
  expect(rows.map(({ peer }) => peer)).toEqual(rows.map(() => 'not encrypted'));
  for (const { value, peerValue } of rows) {
    expect(value).toBeGreaterThan(0);
    expect(peerValue).toBeGreaterThan(0);
  }
  const bytes = rows.find(({ name }) => name.startsWith('bytes'))!;
  expect(bytes.value! - bytes.peerValue!).toBeGreaterThan(40);
});
