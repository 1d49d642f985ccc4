import type { TinyModel } from '../tiny-model.ts';
import type { Scenario } from './scenarios.ts';
import { imageName, LATER, rebootsWhole, reverts, type Survival, survives } from './survive.ts';
import { type Cut, cutsAt, cutsOf, type Segment } from './tears.ts';
import type { Build } from './world.ts';

/** A cut after which something was wrong. */
export interface Failure {
  scenario: string;
  where: string;
  problem: string;
}

/** What was tried; images that are equal are booted once. */
export interface CutCounts {
  cuts: number;
  images: number;
  doubles: number;
  doubleImages: number;
  failures: Failure[];
}

/** What is known of an image: it was booted before. */
interface Known {
  releases: Set<number>;
  doubles: number;
  failures: Omit<Failure, 'scenario'>[];
}

const RECOVERIES: [
  string,
  (build: Build, image: Cut['image'], models: readonly TinyModel[]) => Promise<Survival>,
][] = [
  ['update', (build, image, models) => survives(build, image, models, LATER[0])],
  ['revert', reverts],
  ['boots', rebootsWhole],
];

/** Cuts scenarios at their operations; remembers what images it has booted. */
export interface Explorer {
  /** How many operations a scenario has, boot by boot, the end of each included. */
  points(scenario: Scenario): Promise<[segment: number, op: number][]>;
  /** Cuts it at one operation, and each recovery from there at every operation again. */
  cut(scenario: Scenario, segment: number, op: number): Promise<CutCounts>;
}

/**
 * @param everyDouble 1 for all double cuts, n for each n-th
 * @param words whether a small write is torn behind each of its words
 */
export function createExplorer(everyDouble: number, words: boolean): Explorer {
  const runs = new Map<Scenario, Promise<Segment[]>>();
  const singles = new Map<string, Known>();
  const doubles = new Map<string, { release: number } | { problem: string }>();
  let turn = 0;

  const segmentsOf = (scenario: Scenario): Promise<Segment[]> => {
    const run = runs.get(scenario) ?? scenario.run();
    runs.set(scenario, run);
    return run;
  };

  /** A second cut, in the recovery from a first: the device lives on with what it had or was given. */
  const second = async (image: Cut['image'], { build, models }: Scenario) => {
    const { present, pending } = build.keys ?? {};
    const name = `${present?.generation} ${pending?.generation} ${imageName(image)}`;
    const known = doubles.get(name);
    if (known !== undefined) return known;
    const result = await survives(build, image, [...models, LATER[0]], LATER[1]).then(
      ({ release }) => ({ release }),
      (error: Error) => ({ problem: error.message }),
    );
    doubles.set(name, result);
    return result;
  };

  const first = async ({ image, shallow }: Cut, scenario: Scenario): Promise<Known> => {
    const { build, models } = scenario;
    const known: Known = { releases: new Set(), doubles: 0, failures: [] };
    for (const [name, recover] of RECOVERIES) {
      try {
        const { release, segments } = await recover(build, image, models);
        known.releases.add(release);
        if (shallow) continue;
        for (const [boot, segment] of segments.entries()) {
          for (const again of cutsOf(segment, false)) {
            if (turn++ % everyDouble > 0) continue;
            known.doubles++;
            const result = await second(again.image, scenario);
            if ('release' in result) known.releases.add(result.release);
            else {
              const where = `then in ${name}, boot ${boot}, ${again.where}`;
              known.failures.push({ where, problem: result.problem });
            }
          }
        }
      } catch (error) {
        known.failures.push({ where: `then ${name}`, problem: (error as Error).message });
      }
    }
    return known;
  };

  return {
    points: async (scenario) => {
      const segments = await segmentsOf(scenario);
      return segments.flatMap(({ flash, from }, segment) =>
        Array.from({ length: flash.ops.length + 1 - from }, (_, i): [number, number] => [
          segment,
          from + i,
        ]),
      );
    },
    cut: async (scenario, segment, op) => {
      const { flash } = (await segmentsOf(scenario))[segment]!;
      const booted = doubles.size;
      const counts: CutCounts = { cuts: 0, images: 0, doubles: 0, doubleImages: 0, failures: [] };
      for (const cut of cutsAt(flash, op, words)) {
        const name = `${scenario.name} ${imageName(cut.image)}`;
        let known = singles.get(name);
        if (known === undefined) {
          known = await first(cut, scenario);
          counts.images++;
          // the deep ones come first: what is known of an image is all there is
          singles.set(name, known);
        }
        counts.cuts++;
        counts.doubles += known.doubles;
        const problems = [...known.failures];
        if (known.releases.has(0) && !scenario.emptyIsFine) {
          problems.push({ where: '', problem: 'no model runs' });
        }
        for (const { where: then, problem } of problems) {
          const at = `boot ${segment}, ${cut.where}${then === '' ? '' : `, ${then}`}`;
          counts.failures.push({ scenario: scenario.name, where: at, problem });
        }
      }
      counts.doubleImages = doubles.size - booted;
      return counts;
    },
  };
}
