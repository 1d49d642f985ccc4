import { type TinyModel, tinyModel } from '../tiny-model.ts';
import type { Segment } from './tears.ts';
import { BOARD, bootVirtual, type VirtualWorld } from './world.ts';

/** Units of the hidden layer: a model of three pages, so that erasing a slot takes several. */
const HIDDEN = 70;
const SHORT_HIDDEN = 12;
/** Windows after which a trial that nobody confirms is over. */
const TRIAL_WINDOWS = 20;
/** Boots until a trial is over, and one more; see `maxBoots` of the device. */
const BOOTS = 5;

/** What a device goes through while the power may go. */
export interface Scenario {
  name: string;
  /** models that may run afterwards, wherever the power went */
  models: TinyModel[];
  /** whether the device may have none */
  emptyIsFine: boolean;
  /** Runs it and gives the operations, boot by boot, at each of which the power may have gone. */
  run(code: string): Promise<Segment[]>;
}

/**
 * The scenarios of an update's life.
 *
 * @param short with a model of one page
 */
export function scenarios(short: boolean): Scenario[] {
  const hidden = short ? SHORT_HIDDEN : HIDDEN;
  const model = (release: number, base: number) => tinyModel(release, base, TRIAL_WINDOWS, hidden);
  const [a, b, c] = [model(1, 9), model(2, 8), model(3, 7)];
  const [first, headOnly] = [model(1, 1), model(2, 1)];

  /** A device that has taken and confirmed models. */
  const aged = async (code: string, ...models: TinyModel[]): Promise<VirtualWorld> => {
    const world = await bootVirtual(code);
    for (const one of models) await world.update(one);
    return world;
  };
  const watched = (
    name: string,
    models: TinyModel[],
    before: (code: string) => Promise<VirtualWorld>,
    act: (world: VirtualWorld) => Promise<void>,
    emptyIsFine = false,
  ): Scenario => ({
    ...{ name, models, emptyIsFine },
    run: async (code) => {
      const world = await before(code);
      const from = world.device.flash.ops.length;
      await act(world);
      const { flash } = world.device;
      await world.end();
      return [{ flash, from }];
    },
  });
  const onTrial = async (code: string): Promise<VirtualWorld> => {
    const world = await aged(code, first);
    await world.offer(headOnly);
    return world;
  };

  return [
    watched(
      'first update',
      [a],
      (code) => aged(code),
      (w) => w.update(a),
      true,
    ),
    watched(
      'whole update',
      [a, b, c],
      (code) => aged(code, a, b),
      (w) => w.offer(c),
    ),
    watched(
      'head-only update',
      [first, headOnly],
      (code) => aged(code, first),
      (w) => w.offer(headOnly),
    ),
    watched('confirm', [first, headOnly], onTrial, (w) => w.confirm(2)),
    watched('revert on trial', [first, headOnly], onTrial, (w) => w.revert(2)),
    watched(
      'revert of a confirmed release',
      [first, headOnly],
      (code) => aged(code, first, headOnly),
      (w) => w.revert(2),
    ),
    watched(
      'offer of what was reverted',
      [first, headOnly],
      async (code) => {
        const world = await onTrial(code);
        await world.revert(2);
        return world;
      },
      (w) => w.offer(headOnly),
    ),
    watched('trial that runs out of windows', [first, headOnly], onTrial, async (w) => {
      const window = new Int8Array(150);
      for (let n = 0; n <= TRIAL_WINDOWS; n++) await w.predict(window);
    }),
    {
      ...{ name: 'boots on trial', models: [first, headOnly], emptyIsFine: false },
      run: async (code) => {
        const world = await onTrial(code);
        const segments: Segment[] = [];
        for (let boot = 0; boot < BOOTS; boot++) {
          world.device.restart();
          await world.pass(1500);
          segments.push({ flash: world.device.flash, from: 0 });
        }
        await world.end();
        return segments;
      },
    },
    turning(model),
  ];
}

/** A head-only update whose records fill a page of the log and go on in the other. */
function turning(model: (release: number, base: number) => TinyModel): Scenario {
  const models: TinyModel[] = [];
  return {
    ...{ name: 'head-only update that turns the page of the log', models, emptyIsFine: false },
    run: async (code) => {
      const world = await bootVirtual(code);
      const [log, page] = [BOARD.flash.start + BOARD.flash.pageBytes, BOARD.flash.pageBytes];
      await world.update(model(1, 1));
      for (let release = 2; ; release++) {
        const { flash } = world.device;
        flash.forget();
        await world.update(model(release, 1));
        const turned = flash.ops.some(({ kind, at }) => {
          return kind === 'erase' && at >= log && at < log + 2 * page;
        });
        if (!turned) continue;
        // the oldest is where a revert goes, as long as its slot is whole
        models.push(...[release - 2, release - 1, release].map((number) => model(number, 1)));
        await world.end();
        return [{ flash, from: 0 }];
      }
    },
  };
}
