import type { VirtualFlash } from '../../../link/virtual/flash.ts';
import { type TinyModel, tinyModel } from '../tiny-model.ts';
import { generation } from './key-ring.ts';
import type { Segment } from './tears.ts';
import { BOARD, type Build, bootVirtual, type Codes, type VirtualWorld } from './world.ts';

/** Units of the hidden layer: a model of three pages, so that erasing a slot takes several. */
const HIDDEN = 70;
const SHORT_HIDDEN = 12;
/** Windows after which a trial that nobody confirms is over. */
const TRIAL_WINDOWS = 20;
/** Boots until a trial is over, and one more; see `maxBoots` of the device. */
const BOOTS = 5;
/** Generation of keys whose record is the first of a page of the log. */
const TURNS = 14;

type Model = (release: number, base: number) => TinyModel;

/** What a device goes through while the power may go. */
export interface Scenario {
  name: string;
  /** models that may run afterwards, wherever the power went */
  models: TinyModel[];
  /** whether the device may have none */
  emptyIsFine: boolean;
  /** what boots afterwards, with the keys that its gateway has then */
  build: Build;
  /** Runs it and gives the operations, boot by boot, at each of which the power may have gone. */
  run(): Promise<Segment[]>;
}

/**
 * The scenarios of the life of an update, and of a device's keys.
 *
 * @param codes of the bundles
 * @param short with a model of one page
 */
export function scenarios(codes: Codes, short: boolean): Scenario[] {
  const build: Build = { code: codes.none };
  const hidden = short ? SHORT_HIDDEN : HIDDEN;
  const model = (release: number, base: number) => tinyModel(release, base, TRIAL_WINDOWS, hidden);
  const [a, b, c] = [model(1, 9), model(2, 8), model(3, 7)];
  const [first, headOnly] = [model(1, 1), model(2, 1)];

  /** A device that has taken and confirmed models. */
  const aged = async (...models: TinyModel[]): Promise<VirtualWorld> => {
    const world = await bootVirtual(build);
    for (const one of models) await world.update(one);
    return world;
  };
  const watched = (
    name: string,
    models: TinyModel[],
    before: () => Promise<VirtualWorld>,
    act: (world: VirtualWorld) => Promise<void>,
    emptyIsFine = false,
  ): Scenario => ({
    ...{ name, models, emptyIsFine, build },
    run: async () => {
      const world = await before();
      const from = world.device.flash.ops.length;
      await act(world);
      const { flash } = world.device;
      await world.end();
      return [{ flash, from }];
    },
  });
  const onTrial = async (): Promise<VirtualWorld> => {
    const world = await aged(first);
    await world.offer(headOnly);
    return world;
  };

  return [
    watched(
      'first update',
      [a],
      () => aged(),
      (w) => w.update(a),
      true,
    ),
    watched(
      'whole update',
      [a, b, c],
      () => aged(a, b),
      (w) => w.offer(c),
    ),
    watched(
      'head-only update',
      [first, headOnly],
      () => aged(first),
      (w) => w.offer(headOnly),
    ),
    watched('confirm', [first, headOnly], onTrial, (w) => w.confirm(2)),
    watched('revert on trial', [first, headOnly], onTrial, (w) => w.revert(2)),
    watched(
      'revert of a confirmed release',
      [first, headOnly],
      () => aged(first, headOnly),
      (w) => w.revert(2),
    ),
    watched(
      'offer of what was reverted',
      [first, headOnly],
      async () => {
        const world = await onTrial();
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
      ...{ name: 'boots on trial', models: [first, headOnly], emptyIsFine: false, build },
      run: async () => {
        const world = await onTrial();
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
    turning(build, model),
    ...keyed(codes.ccm, model),
  ];
}

/** A head-only update whose records fill a page of the log and go on in the other. */
function turning(build: Build, model: Model): Scenario {
  const models: TinyModel[] = [];
  return {
    ...{
      name: 'head-only update that turns the page of the log',
      models,
      emptyIsFine: false,
      build,
    },
    run: async () => {
      const world = await bootVirtual(build);
      await world.update(model(1, 1));
      for (let release = 2; ; release++) {
        const { flash } = world.device;
        flash.forget();
        await world.update(model(release, 1));
        if (!turned(flash)) continue;
        // the oldest is where a revert goes, as long as its slot is whole
        models.push(...[release - 2, release - 1, release].map((number) => model(number, 1)));
        await world.end();
        return [{ flash, from: 0 }];
      }
    },
  };
}

/** Whether a page of the log was erased. */
function turned(flash: VirtualFlash): boolean {
  const { start, pageBytes } = BOARD.flash;
  return flash.ops.some(({ kind, at }) => {
    return kind === 'erase' && at >= start + pageBytes && at < start + 3 * pageBytes;
  });
}

/**
 * New keys: the gateway takes the old ones and the new ones until it has heard the device under the
 * latter; from then on the device must never fall back to the former.
 */
function keyed(code: string, model: Model): Scenario[] {
  const models = [model(1, 1), model(2, 1)] as const;
  const under = (present: number, pending?: number): Build => {
    const next = pending === undefined ? null : generation(pending);
    return { code, keys: { present: generation(present), pending: next } };
  };
  const aged = async (): Promise<VirtualWorld> => {
    const world = await bootVirtual(under(1));
    await world.update(models[0]);
    return world;
  };
  const end = async (world: VirtualWorld, from: number): Promise<Segment[]> => {
    const { flash } = world.device;
    await world.end();
    return [{ flash, from }];
  };
  const emptyIsFine = false;
  return [
    {
      ...{ name: 'new keys', models: [models[0]], emptyIsFine, build: under(1, 2) },
      run: async () => {
        const world = await aged();
        const from = world.device.flash.ops.length;
        await world.rekey(generation(2));
        return end(world, from);
      },
    },
    {
      ...{ name: 'update under new keys', models: [...models], emptyIsFine, build: under(2) },
      run: async () => {
        const world = await aged();
        await world.rekey(generation(2));
        const from = world.device.flash.ops.length;
        await world.offer(models[1]);
        return end(world, from);
      },
    },
    {
      ...{ name: 'new keys that turn the page of the log', models: [models[0]], emptyIsFine },
      build: under(TURNS - 1, TURNS),
      run: async () => {
        const world = await aged();
        for (let number = 2; number <= TURNS; number++) {
          world.device.flash.forget();
          await world.rekey(generation(number));
        }
        if (!turned(world.device.flash)) throw new Error('the page of the log was not turned');
        return end(world, 0);
      },
    },
  ];
}
