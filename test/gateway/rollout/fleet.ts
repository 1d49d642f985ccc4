import type { ErrorCode } from '../../../gateway/errors.ts';
import { openRegistry } from '../../../gateway/registry/registry.ts';
import { memorySigner } from '../../../gateway/registry/signing.ts';
import { createRollouts } from '../../../gateway/rollout/rollouts.ts';
import type { RolloutLink } from '../../../gateway/rollout/stepper.ts';
import type { Store } from '../../../gateway/store/store.ts';
import { meta, parts } from '../registry/support.ts';
import { sample, testStore } from '../store/support.ts';

export const four = ['w1', 'w2', 'w3', 'w4'];
export const settings = { soakWindows: 10, trialWindows: 60 };

/** How a device of the double misbehaves when a version is offered to it. */
export type Fault =
  | { status: number }
  /** answers 'accepted' this often and then no more, as one that loses power in the middle */
  | { dies: number }
  /** says nothing at all */
  | { silent: true }
  /** the gateway itself does not let offers of any later release out */
  | { gateway: { code: ErrorCode; why: string } };

interface Twin {
  release: number;
  trial: number | null;
  online: boolean;
  fault?: Fault;
  /** score and accuracy of its windows, by release; what is not there is as before */
  worse?: { score: number; right: boolean };
}

export class Died extends Error {}

/** Devices as the rollout sees them: they answer orders, restart, go away and come back. */
export function createFleet(ids: string[], options: { store?: Store; settings?: object } = {}) {
  const store = options.store ?? testStore();
  const registry = openRegistry(store, memorySigner(), () => 1000);
  const twins = new Map<string, Twin>(
    ids.map((id) => [id, { release: 1, trial: null, online: true }]),
  );
  const calls: string[] = [];
  const queue: (() => void)[] = [];
  let clock = 1000;
  let untilDeath = Number.POSITIVE_INFINITY;

  const call = (text: string, device: string, act: (twin: Twin) => void) => {
    calls.push(text);
    if (--untilDeath < 0) throw new Died(text);
    const twin = twins.get(device) as Twin;
    if (twin.online) queue.push(() => act(twin));
  };
  const say = (device: string, release: number, code: number) =>
    queue.push(() => {
      if (twins.get(device)?.online) rollouts.status(device, { release, code });
    });

  const link: RolloutLink = {
    offer(device, _version, release) {
      const held = twins.get(device)?.fault;
      if (held !== undefined && 'gateway' in held) {
        calls.push(`held ${device} ${release}`);
        return held.gateway;
      }
      call(`offer ${device} ${release}`, device, (twin) => {
        const { fault } = twin;
        if (fault !== undefined && 'silent' in fault) return;
        if (twin.release >= release) say(device, release, 9);
        else if (fault !== undefined && 'status' in fault) say(device, release, fault.status);
        else {
          say(device, release, 1);
          if (fault !== undefined && 'dies' in fault && fault.dies-- > 0) return;
          twin.trial = release;
          for (const code of [2, 3, 4]) say(device, release, code);
        }
      });
      return undefined;
    },
    confirm: (device, release) =>
      call(`confirm ${device} ${release}`, device, (twin) => {
        if (twin.trial === release) Object.assign(twin, { release, trial: null });
        if (twin.release === release) say(device, release, 5);
      }),
    revert: (device, release) =>
      call(`revert ${device} ${release}`, device, (twin) => {
        if (twin.release === release) return;
        twin.trial = null;
        say(device, release, 6);
      }),
  };
  let rollouts = createRollouts(store, registry, link, () => clock);

  function pump(): void {
    for (let i = 0; queue.length > 0; i++) {
      if (i > 10_000) throw new Error('the fleet talks for ever');
      queue.shift()?.();
    }
  }

  function hello(id: string): void {
    const twin = twins.get(id) as Twin;
    twin.online = true;
    const release = twin.trial ?? twin.release;
    store.devices.hello({
      ...{ id, board: 'b', task: 'gesture', tier: 't', session: clock, release, at: clock },
      ...{ version: registry.releaseOf(release)?.version ?? null, state: twin.trial ? 2 : 1 },
    });
    rollouts.hello(id, { release, state: twin.trial === null ? 1 : 2 });
  }

  /** Every device that is online sends windows, labelled ones if so wanted. */
  function windows(count: number, labelled = false): void {
    for (let i = 0; i < count; i++) {
      for (const [id, twin] of twins) {
        if (!twin.online) continue;
        const release = twin.trial ?? twin.release;
        const bad = release > 1 ? twin.worse : undefined;
        rollouts.window(id, { release, score: (bad?.score ?? 80) + (i % 7) });
        if (labelled) rollouts.label(id, { release, correct: bad?.right ?? i % 10 > 0 });
        pump();
      }
    }
  }

  const first = registry.register(parts(1), meta(), null);
  registry.setStage(first, 'trial', { who: 'test', why: 'first' });
  registry.setStage(first, 'champion', { who: 'test', why: 'first' });
  registry.release(first, 'first');
  for (const id of ids) hello(id);

  return {
    ...{ store, registry, first, twins, calls, windows, hello },
    get rollouts() {
      return rollouts;
    },
    /** Registers another version and starts it. */
    start(
      head: number,
      more: {
        provisional?: boolean;
        since?: number;
        spared?: string[];
        scope?: Parameters<typeof meta>[0];
      } = {},
    ): { id: string; version: string } {
      const version = registry.register(parts(head), meta({ parent: first, ...more.scope }), null);
      const { provisional, since, spared } = more;
      const id = rollouts.start(version, {
        ...{ who: 'test', why: 'better', provisional, since, spared, settings: options.settings },
      });
      pump();
      return { id, version };
    },
    pump,
    /** The gateway dies at its n-th call to a device from now on. */
    dieAfter: (n: number) => {
      untilDeath = n;
    },
    /** The gateway starts again: what was under way on the links is gone, all say hello. */
    restart(): void {
      untilDeath = Number.POSITIVE_INFINITY;
      queue.length = 0;
      rollouts = createRollouts(store, registry, link, () => clock);
      for (const [id, twin] of twins) if (twin.online) hello(id);
      pump();
    },
    leave(id: string): void {
      (twins.get(id) as Twin).online = false;
      rollouts.offline(id);
    },
    comeBack(id: string): void {
      hello(id);
      pump();
    },
    /** The device starts again in the middle of a trial: it is back on what it ran before. */
    crash(id: string): void {
      (twins.get(id) as Twin).trial = null;
      hello(id);
      pump();
    },
    wait(ms: number): void {
      clock += ms;
      rollouts.tick();
      pump();
    },
    /** Windows in the store, as if they had come before the rollout. */
    async past(id: string, count: number, labelled: boolean): Promise<void> {
      for (let i = 0; i < count; i++) {
        const label = labelled ? (i % 10 > 0 ? 2 : 1) : null;
        await store.samples.add(
          sample({ device: id, session: 1, seq: i + 1, release: 1, score: 80 + (i % 7), label }),
        );
      }
    },
    stages: (id: string) =>
      Object.fromEntries(
        Object.entries(rollouts.get(id)?.members ?? {}).map(([name, m]) => [name, m.stage]),
      ),
  };
}

/** Every device, in the order in which a version reaches them. */
export function ordered(fleet: ReturnType<typeof createFleet>, id: string): string[] {
  return fleet.rollouts.get(id)?.order as string[];
}
