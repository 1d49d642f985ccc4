import { expect, it, onTestFinished } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { flashBoard } from '../../../gateway/flash/flash-board.ts';
import { storedKeeper } from '../../../gateway/flash/keeper.ts';
import { blePort } from '../../../gateway/link/ble.ts';
import { bleRadio } from '../../../gateway/link/ble-radio.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { bleAir } from '../../../gateway/link/virtual/ble-air.ts';
import { hasBle, skippedBle } from '../../support/ble.ts';
import { bareEspruino } from '../../support/flashed-boards.ts';
import { fleetData } from '../../support/fleet-data.ts';
import { twoPeople } from '../../support/people.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';
import { quickTask } from '../../support/tasks.ts';

it.skipIf(!hasBle || espruinoPath() === undefined)(
  `flashBoard() makes a device of a bare Espruino by Bluetooth, noble on one side and a virtual controller on the other${skippedBle}${skippedEspruino}`,
  async () => {
    const task = quickTask();
    const bare = await bareEspruino();
    onTestFinished(bare.close);
    const air = await bleAir();
    onTestFinished(() => air.close());
    const device = await air.add(serialPort(bare.cable.path), {
      ...{ address: 'c0:ff:ee:00:00:01', name: 'bare', mtu: 131 },
    });
    const radio = bleRadio(air.noble);
    onTestFinished(() => radio.close());
    const { directory, version } = await fleetData(task, twoPeople(task, 12, 1).ann.learn);
    const keeper = storedKeeper({ directory, task, allowWeakLink: false });
    onTestFinished(() => keeper.close());
    const { done, suite } = await flashBoard(
      {
        ...{ board: loadBoard('espruino-linux'), task, keeper, id: 'air-1', ble: true },
        // on Linux the peripheral's UART is this one
        start: { ...bare.start, port: 'Serial1' },
        open: () => blePort(radio, 'bare'),
        onProgress: () => {},
      },
      false,
    );
    expect({ ...done, suite }).toMatchObject({ version, selfTest: 'equal', suite: 'ccm' });
    expect(device.count.received).toBeGreaterThan(done!.sentBytes);
  },
  120_000,
);
