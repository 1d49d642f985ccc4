import { describe, expect, it } from 'vitest';
import { openRegistry, type Registry } from '../../gateway/registry/registry.ts';
import { memorySigner } from '../../gateway/registry/signing.ts';
import { encodeModel } from '../../gateway/train/model.ts';
import { trainRung } from '../../gateway/train/rungs.ts';
import { createVersionOf, fallsShort, modelOf, reportOf } from '../../gateway/versions.ts';
import { twoPeople } from '../support/people.ts';
import { rawTask } from '../support/tasks.ts';
import { meta } from './registry/support.ts';
import { testStore } from './store/support.ts';

const task = rawTask(2);
const taught = { fresh: twoPeople(task, 3, 1).ann.learn, old: [], recent: [] };
const { model } = await trainRung('whole', task, null, taught, { seed: 1 });

function registered(report: unknown) {
  const registry = openRegistry(testStore(), memorySigner(), () => 1000);
  const version = registry.register(encodeModel(model), { ...meta(), task: task.name }, report);
  return { registry, version };
}

describe('modelOf() and reportOf()', () => {
  it('read a registered version back to the number, frozen layers and all', () => {
    const report = { evidence: { candidate: 0.9, windows: 10 }, reachesAim: true };
    const { registry, version } = registered(report);
    expect(modelOf(registry, version)).toEqual({ model, reference: 0.9, isUpdated: false });
    const [parts, about] = [encodeModel(model), { ...meta({ parent: version }), task: task.name }];
    expect(modelOf(registry, registry.register(parts, about, null)).isUpdated).toBe(true);
    expect(reportOf(registry, version)).toEqual(report);
  });

  it('know no accuracy of a version that no gate decided on', () => {
    const { registry, version } = registered(null);
    expect(modelOf(registry, version).reference).toBeNull();
    expect(reportOf(registry, version)).toBeNull();
    expect(() => modelOf(registry, 'f'.repeat(64))).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});

describe('fallsShort()', () => {
  it('is true of a version that was released below the aim, and of no other', () => {
    for (const [report, short] of [
      [{ reachesAim: false }, true],
      [{ reachesAim: true }, false],
      [null, false],
    ] as const) {
      const { registry, version } = registered(report);
      expect(fallsShort(registry, version)).toBe(short);
      expect(fallsShort(registry, null)).toBe(false);
    }
  });
});

describe('createVersionOf()', () => {
  it('asks the registry until there is a version behind a release, and then no more', () => {
    const asked: number[] = [];
    const known = new Map<number, { version: string }>();
    const versionOf = createVersionOf({
      releaseOf(release) {
        asked.push(release);
        return known.get(release) as ReturnType<Registry['releaseOf']>;
      },
    });
    expect(versionOf(3)).toBeNull();
    known.set(3, { version: 'a' });
    known.set(4, { version: 'b' });
    expect([versionOf(3), versionOf(4), versionOf(3)]).toEqual(['a', 'b', 'a']);
    expect(asked).toEqual([3, 3, 4]);
  });
});
