import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bundle } from '../../device/build.ts';
import type { BoardProfile } from '../board.ts';
import type { Connection } from '../link/connect.ts';
import { realClock } from '../link/port.ts';
import type { VirtualClock } from '../link/virtual/clock.ts';
import { createVirtualDevice, type Prediction } from '../link/virtual/device.ts';
import { spawnEspruino } from '../link/virtual/espruino-process.ts';
import type { Loop } from '../loop.ts';
import type { Recording } from '../recordings.ts';

/** A device that is fed with recorded windows instead of a sensor. */
export interface Fed {
  readonly id: string;
  /** Hands it a window. @returns what it said; undefined while it runs no model */
  feed(recording: Recording): Promise<Prediction | undefined>;
  /** everything that it said, a window after the other */
  readonly said: Prediction[];
  /** it lives in real time, so others have to wait for it */
  readonly isReal: boolean;
  dispose(): Promise<void>;
}

/** What a device is made of. */
export interface FedParts {
  id: string;
  board: BoardProfile;
  bundle: Bundle;
  clock: VirtualClock;
  seed: number;
}

/** A virtual device that runs the bundle on a board double, in virtual time. */
export async function virtualFed(parts: FedParts, loop: Loop): Promise<Fed> {
  const device = createVirtualDevice(parts);
  await loop.attach(device.port);
  return {
    id: parts.id,
    isReal: false,
    said: device.predictions,
    feed: async ({ window, length }) => device.feedWindow(window, length),
    dispose: () => device.dispose(),
  };
}

/**
 * A real Espruino process that runs the bundle, on a pty, in real time; between two windows its
 * clock is put forward by as much as the others' virtual one moves.
 *
 * @param path of the Linux build of Espruino
 * @param folder where its flash file may be made
 * @param stepMs virtual time between two windows
 * @throws GatewayError 'missing-tool' without socat or Espruino
 */
export async function espruinoFed(
  { id, bundle, clock }: FedParts,
  loop: Loop,
  options: { path: string; folder: string; stepMs: number },
): Promise<Fed> {
  const cwd = mkdtempSync(join(options.folder, 'espruino-'));
  const device = await spawnEspruino({ path: options.path, bundle, id, cwd });
  let connection: Connection;
  try {
    // its own setTime() does nothing on Linux
    await device.run(
      'var realTime=getTime,aheadS=0;global.getTime=function(){return realTime()+aheadS}',
    );
    // its time passes as ours, by the date of the replay: by today's the releases may be over
    const behindMs = realClock.now() - clock.now();
    connection = await loop.attach(device.port, {
      ...realClock,
      now: () => realClock.now() - behindMs,
    });
  } catch (error) {
    await device.stop();
    throw error;
  }
  const said: Prediction[] = [];
  return {
    id,
    isReal: true,
    said,
    async feed({ window, length }) {
      await device.run(`aheadS+=${options.stepMs / 1000}`);
      const prediction = await device.feedWindow(window, length);
      if (prediction !== undefined) said.push(prediction);
      await sleep(1); // its bytes cross the pty meanwhile
      return prediction;
    },
    async dispose() {
      await connection.close();
      await device.stop();
    },
  };
}
