import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SuiteName } from '../../device/build.ts';
import { keyedFlash, testKeys } from '../../gateway/bench/faults/keyed-flash.ts';
import { type TinyModel, walk } from '../../gateway/bench/faults/tiny-model.ts';
import { loadBoard } from '../../gateway/board.ts';
import {
  type EspruinoProcess,
  spawnEspruino,
} from '../../gateway/link/virtual/espruino-process.ts';
import { type FlashImage, flatImage } from '../../gateway/link/virtual/flash.ts';
import { bundleOf } from './device-bench.ts';
import { type MiniGateway, miniGateway } from './mini-gateway.ts';
import { type GatewaySuite, gatewaySuite } from './node-ciphers.ts';
import { espruinoPath } from './run-espruino.ts';

/** A real Espruino in a folder of its own, with the least of a gateway on its pty. */
export interface EspruinoDevice {
  process: EspruinoProcess;
  gateway: MiniGateway;
  /** its suite, of a new epoch at each start; undefined for `none` */
  link: GatewaySuite | undefined;
  /** Waits until something holds. */
  until(holds: () => boolean): Promise<void>;
  /** Which of the models it runs whole, by its predictions. */
  runs(models: readonly TinyModel[]): Promise<TinyModel | undefined>;
  /** Kills it, as a power cut does, and boots it again on its flash. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Boots the built bundle on the real Espruino. */
export async function espruinoDevice(
  options: { flash?: FlashImage; tier?: string; suite?: SuiteName } = {},
): Promise<EspruinoDevice> {
  const cwd = await mkdtemp(join(tmpdir(), 'whetstone-espruino-'));
  const board = loadBoard('espruino-linux');
  const { suite = 'none', flash = suite === 'none' ? undefined : keyedFlash(board) } = options;
  if (flash) await writeFile(join(cwd, 'espruino.flash'), flatImage(board.flash, flash));
  const bundle = await bundleOf(board.name, suite);
  let epoch = 0;
  const start = async (): Promise<void> => {
    const path = espruinoPath() as string;
    device.process = await spawnEspruino({ path, bundle, id: 'real', cwd, tier: options.tier });
    epoch++;
    const link = suite === 'none' ? undefined : gatewaySuite(suite, testKeys, epoch);
    device.link = link;
    device.gateway = await miniGateway(device.process.port, link);
    await device.until(() => device.gateway.hellos.length > 0);
  };
  const device = {
    until: async (holds: () => boolean) => {
      const deadline = Date.now() + 20_000;
      while (!holds()) {
        if (Date.now() > deadline) throw new Error(`waited in vain: ${device.process.output()}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    runs: async (models: readonly TinyModel[]) => {
      let left = [...models];
      for (const window of [3, 4, 5].map(walk)) {
        const said = await device.process.feedWindow(window, 50);
        left = left.filter((model) => {
          const right = model.predict(window, 50);
          return said?.cls === right.cls && said?.score === right.score;
        });
      }
      return left[0];
    },
    restart: async () => {
      await device.process.stop();
      await start();
    },
    stop: async () => {
      await device.process.stop();
      await rm(cwd, { recursive: true, force: true });
    },
  } as EspruinoDevice;
  await start();
  return device;
}
