import { type Bundle, buildBundle } from '../../device/build.ts';
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
import { type TinyModel, walk } from './tiny-model.ts';

/** A virtual device, the least of a gateway, and their clock. */
export interface Bench {
  device: VirtualDevice;
  gateway: MiniGateway;
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
export function bundleOf(board = 'espruino-linux'): Promise<Bundle> {
  let bundle = bundles.get(board);
  if (bundle === undefined) {
    bundle = buildBundle({ board: loadBoard(board), task: loadTask('gesture') });
    bundles.set(board, bundle);
  }
  return bundle;
}

/** Boots a virtual device with the built bundle and puts a gateway on its port. */
export async function bench(
  options: { board?: string; flash?: FlashImage; faults?: DeviceFaults; id?: string } = {},
): Promise<Bench> {
  const clock = virtualClock();
  const board: BoardProfile = loadBoard(options.board ?? 'espruino-linux');
  const bundle = await bundleOf(board.name);
  const { flash, faults, id = 'bench' } = options;
  const device = createVirtualDevice({ bundle, id, board, clock, flash, faults });
  const gateway = await miniGateway(device.port);
  const settle = (ms = 1500): Promise<void> => clock.advance(ms);
  await settle();
  const saw = (release: number, code: number): boolean =>
    gateway.statuses.some((status) => status[0] === release && status[1] === code);
  return {
    device,
    gateway,
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
