import { describe, expect, it } from 'vitest';
import { benchLatency } from '../../../gateway/bench/latency.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { hasBle, skippedBle } from '../../support/ble.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

describe('benchLatency()', () => {
  it('skips every row where there is no Espruino', async () => {
    const { rows } = await benchLatency(undefined);
    expect(rows.map(({ skipped }) => skipped)).toEqual([
      'WHETSTONE_ESPRUINO is not set',
      'WHETSTONE_ESPRUINO is not set',
    ]);
  });

  it.skipIf(!hasBle || espruinoPath() === undefined)(
    `follows windows of a real Espruino to the store and to an alarm${skippedBle}${skippedEspruino}`,
    async () => {
      const link = 'Bluetooth (radio simulated)';
      const { rows } = await benchLatency(espruinoPath(), { alarms: 1, links: [link] });
      const value = (name: string) => rows.find((row) => row.name.startsWith(name))!.value!;
      expect(value('windows')).toBeGreaterThan(32);
      expect(rows[1]).toMatchObject({ value: 1, unit: 'of 1' });
      // no stage is before the one that it follows
      for (const row of rows) expect(row.value).toBeGreaterThan(0);
      for (const stage of ['prediction → gateway', 'last sample → stored']) {
        expect(value(`${stage}, p99`)).toBeGreaterThanOrEqual(value(`${stage}, p50`));
      }
      expect(value('last sample → stored, p50')).toBeGreaterThan(value('gateway → stored, p50'));
      expect(rows.find(({ name }) => name.startsWith('prediction → gateway'))).toMatchObject({
        peer: expect.stringMatching(/^echo of \d+ bytes$/),
        peerValue: expect.any(Number),
      });
    },
  );

  it.skipIf(espruinoPath() === undefined)(
    `hears the alarm of each device when they follow each other within half a minute${skippedEspruino}`,
    async () => {
      // a time that goes slowly, as a fast computer sees it: all three are within half a minute, and
      // the third would be told of with its group alone
      const begun = Date.now();
      const clock = { ...realClock, now: () => Math.floor(begun + (Date.now() - begun) / 8) };
      const options = { alarms: 3, links: ['serial (pty)'], clock };
      const { rows } = await benchLatency(espruinoPath(), options);
      expect(rows[1]).toMatchObject({ value: 3, unit: 'of 3', met: true });
      const windows = rows.filter(({ name }) => name.startsWith('change → alarm'));
      for (const { value } of windows) expect(value).toBeLessThan(60);
    },
    300_000,
  );
});
