import { type Bundle, buildBundle, type SuiteName } from '../../device/build.ts';
import { keyedFlash, testKeys } from '../../gateway/bench/faults/keyed-flash.ts';
import { type TinyModel, walk } from '../../gateway/bench/faults/tiny-model.ts';
import { type BoardProfile, loadBoard } from '../../gateway/board.ts';
import { type VirtualClock, virtualClock } from '../../gateway/link/virtual/clock.ts';
import {
  createVirtualDevice,
  type DeviceFaults,
  type VirtualDevice,
} from '../../gateway/link/virtual/device.ts';
import type { FlashImage } from '../../gateway/link/virtual/flash.ts';
import { loadTask } from '../../gateway/task.ts';
import { type MiniGateway, miniGateway } from './mini-gateway.ts';
import { type GatewaySuite, gatewaySuite } from './node-ciphers.ts';

/** A virtual device, the least of a gateway, and their clock. */
export interface Bench {
  device: VirtualDevice;
  gateway: MiniGateway;
  /** its suite; undefined for `none` */
  link: GatewaySuite | undefined;
  clock: VirtualClock;
  /** Lets a second pass. */
  settle(ms?: number): Promise<void>;
  /** Offers a model, waits for its trial and confirms it; says whether it was confirmed. */
  update(model: TinyModel): Promise<boolean>;
  /** Which of the models the device runs whole, by its predictions; undefined: none of them. */
  runs(models: readonly TinyModel[]): TinyModel | undefined;
}

const bundles = new Map<string, Promise<Bundle>>();

/** The bundle of a board for the task `gesture`, built once. */
export function bundleOf(board = 'espruino-linux', suite: SuiteName = 'none'): Promise<Bundle> {
  const name = `${board} ${suite}`;
  let bundle = bundles.get(name);
  if (bundle === undefined) {
    bundle = buildBundle({ board: loadBoard(board), task: loadTask('gesture'), suite });
    bundles.set(name, bundle);
  }
  return bundle;
}

/** Boots a virtual device with the built bundle and puts a gateway on its port. */
export async function bench(
  options: {
    board?: string;
    flash?: FlashImage;
    faults?: DeviceFaults;
    id?: string;
    suite?: SuiteName;
  } = {},
): Promise<Bench> {
  const clock = virtualClock();
  const board: BoardProfile = loadBoard(options.board ?? 'espruino-linux');
  const { suite = 'none', faults, id = 'bench' } = options;
  const bundle = await bundleOf(board.name, suite);
  const flash = options.flash ?? (suite === 'none' ? undefined : keyedFlash(board));
  const link = suite === 'none' ? undefined : gatewaySuite(suite, testKeys);
  const device = createVirtualDevice({ bundle, id, board, clock, flash, faults });
  const gateway = await miniGateway(device.port, link);
  const settle = (ms = 1500): Promise<void> => clock.advance(ms);
  await settle();
  const saw = (release: number, code: number): boolean =>
    gateway.statuses.some((status) => status[0] === release && status[1] === code);
  return {
    device,
    gateway,
    link,
    clock,
    settle,
    update: async (model) => {
      const release = model.offer[0];
      gateway.statuses.length = 0;
      gateway.offer(model);
      await settle();
      if (!saw(release, 4)) return saw(release, 5);
      gateway.confirm(release);
      await settle(20);
      return saw(release, 5);
    },
    runs: (models) => {
      const windows = [3, 4, 5, 6].map(walk);
      const said = windows.map((window) => device.feedWindow(window, 50));
      return models.find((model) =>
        windows.every((window, i) => {
          const right = model.predict(window, 50);
          return said[i]?.cls === right.cls && said[i]?.score === right.score;
        }),
      );
    },
  };
}
