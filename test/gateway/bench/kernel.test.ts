import { expect, it } from 'vitest';
import { espruinoRows, thumbRows } from '../../../gateway/bench/kernel-device.ts';
import { gatewayRows } from '../../../gateway/bench/kernel-gateway.ts';
import { denseNet } from '../../../gateway/bench/nets.ts';
import { thumbMissing } from '../../../gateway/bench/thumb-emulator.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

it('gatewayRows() times both peers and tells how many outputs are equal', async () => {
  const rows = await gatewayRows(denseNet([33, 20, 6]));
  expect(rows.map(({ skipped }) => skipped)).toEqual(Array(4).fill(undefined));
  for (const row of [rows[0]!, rows[2]!]) {
    expect(row.value).toBeGreaterThan(0);
    expect(row.ratio).toBeCloseTo(row.peerValue! / row.value!, 0);
    expect(row.met).toBe(row.ratio! >= 1);
  }
  for (const share of [rows[1]!, rows[3]!]) {
    expect(share.value).toBeGreaterThan(0.9);
    expect(share.value).toBeLessThanOrEqual(1);
  }
});

it.skipIf(thumbMissing() !== undefined)(
  `thumbRows() counts instructions within the aim of 2 a MAC on wide layers${thumbMissing() ? ` (skipped: ${thumbMissing()})` : ''}`,
  async () => {
    const rows = await thumbRows();
    const wide = rows.find(({ name }) => name === 'thumb, dense 128→64')!;
    expect(wide.value).toBeGreaterThan(1);
    expect(wide.value).toBeLessThanOrEqual(2);
    expect(rows.every(({ met }) => met !== undefined)).toBe(true);
  },
);

it('espruinoRows() says why there is no value when there is no Espruino', async () => {
  const rows = await espruinoRows(undefined);
  expect(rows).toHaveLength(9);
  expect(rows.every((row) => row.skipped === 'WHETSTONE_ESPRUINO is not set')).toBe(true);
});

it('espruinoRows() says where there is no Espruino when its path is wrong', async () => {
  const [row] = await espruinoRows('/no/such/espruino');
  expect(row!.skipped).toBe('there is no Espruino at /no/such/espruino');
});

it.skipIf(espruinoPath() === undefined)(
  `espruinoRows() gives every tier beside the loops${skippedEspruino}`,
  async () => {
    const rows = await espruinoRows(espruinoPath());
    expect(rows.map(({ value }) => typeof value)).toEqual(Array(9).fill('number'));
    const convolve = rows.find(({ name }) => name.includes('128→64→6, convolve'))!;
    expect(convolve.peer).toBe('tier reference');
    expect(convolve.ratio).toBeCloseTo(convolve.peerValue! / convolve.value!, 0);
    expect(convolve.met).toBe(convolve.ratio! >= 25);
  },
);
