import type { Composed } from '../../../compose.ts';
import { hashOf, modelBytes } from '../../../heal.ts';
import { shortId } from '../../../registry/manifest.ts';
import { goldenVectors, type ModelParts } from '../../../train/model.ts';
import { tinyModel } from '../tiny-model.ts';
import type { Released } from './audit.ts';
import { hex } from './core-device.ts';

/** How rollouts go here: quickly, so that many are under way while things break. */
const settings = {
  ...{ canaryShare: 0.1, soakWindows: 3, trialWindows: 60, stallMs: 60_000 },
  ...{ maxFailedShare: 0.5, maxAttempts: 20 },
};

/**
 * Registers a model of random weights and begins to roll it out to the fleet.
 *
 * @param seed of the head; models whose `base` is the same share the other parts
 * @returns id of the rollout
 * @throws GatewayError 'not-allowed' while another rollout goes on
 */
export function release(gateway: Composed, seed: number, base: number): string {
  const { registry, store, task, loop } = gateway;
  const [pre, backbone, head] = tinyModel(seed, base).parts as [Uint8Array, Uint8Array, Uint8Array];
  const parts: ModelParts = { pre, backbone, head };
  const values = task.window.samples * task.sensor.axes.length;
  const golden = goldenVectors(parts, values, seed, 2);
  const scope = { kind: 'fleet', id: '' } as const;
  const version = registry.register(
    parts,
    {
      ...{ task: task.name, taskHash: hashOf(task), scope },
      parent: registry.champion(task.name, scope) ?? null,
      golden: { seed, count: 2, outputs: Int8Array.from(golden.outputs) },
      lineage: {
        dataSnapshot: store.catalogue.addSnapshot([], 0),
        ...{ codeVersion: 'bench', seed, rung: 'whole' },
      },
      budgets: { bytes: modelBytes(parts) },
    },
    null,
  );
  return loop.rollouts.start(version, { who: 'bench', why: 'a model of random weights', settings });
}

/** Whether a rollout has yet to come to an end. */
export const goesOn = (stage: string): boolean => ['canary', 'rest', 'returning'].includes(stage);

/** What every release number of a gateway stands for. */
export function releasesOf({ registry }: Composed): Map<number, Released> {
  const out = new Map<number, Released>();
  for (let number = 1; ; number++) {
    const of = registry.releaseOf(number);
    if (of === undefined) return out;
    out.set(number, { version: hex(shortId(of.version)), parts: registry.parts(of.version) });
  }
}

/** Which release numbers the rollouts of a gateway sent to a device. */
export function mayRun({ loop, store }: Composed): (device: string) => Set<number> {
  const ofDevice = new Map<string, Set<string>>();
  const add = (device: string, rollout: string): void => {
    ofDevice.set(device, (ofDevice.get(device) ?? new Set()).add(rollout));
  };
  for (const { subject, data } of store.journal.find({ kind: 'rollout.started' })) {
    for (const device of data.devices as string[]) add(device, subject);
  }
  for (const { subject, data } of store.journal.find({ kind: 'rollout.device' })) {
    add(subject, data.rollout as string);
  }
  const rollouts = new Map(loop.rollouts.list().map((state) => [state.id, state]));
  return (device) => {
    const own = [...(ofDevice.get(device) ?? [])].map((id) => rollouts.get(id)!);
    return new Set(own.flatMap(({ release, back }) => [release, ...Object.values(back)]));
  };
}
