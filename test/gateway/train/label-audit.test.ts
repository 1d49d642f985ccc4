import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { type AuditInput, auditLabels, unchanged } from '../../../gateway/train/label-audit.ts';
import type { Example } from '../../../gateway/train/rungs.ts';

const policy = { maxWrongLabels: 0.25, alpha: 0.05 };
const random = createRandom(4);

/** Windows of two values about the place of their class; `away` moves them all. */
function windows(n: number, cls: number, away = 0): Example[] {
  return Array.from({ length: n }, () => {
    const near = (at: number) => Math.round(at + away + 4 * random.gaussian());
    return { window: Int8Array.of(near(cls === 0 ? -30 : 30), near(0)), length: 1, cls };
  });
}
const both = (n: number, away = 0): Example[] => [...windows(n, 0, away), ...windows(n, 1, away)];
const as = (cls: number, examples: Example[]): Example[] => examples.map((e) => ({ ...e, cls }));

function audit(fresh: Example[], changes: Partial<AuditInput> = {}) {
  return auditLabels({
    ...{ fresh, memory: both(40), policy, embed: (window) => window },
    origins: fresh.map(() => ({ device: 'w', source: 'person' })),
    recent: new Map([['w', both(30)]]),
    lately: new Map([['w', both(50)]]),
    labelled: new Map([['w', both(5)]]),
    ...changes,
  });
}

describe('auditLabels()', () => {
  it('supports labels that earlier windows have, and trusts them all', () => {
    const fresh = both(10);
    const { verdicts, trusted, inForce, grounds } = audit(fresh);
    expect(inForce).toBe(true);
    expect(verdicts.filter((verdict) => verdict === 'contradicted')).toEqual([]);
    expect(verdicts.filter((verdict) => verdict === 'supported').length).toBeGreaterThan(15);
    expect(trusted).toEqual([...fresh.keys()]);
    expect(grounds[0]!.known).toBeGreaterThan(0.8);
    expect(grounds[0]!.sure.length).toBeGreaterThan(80);
    expect(grounds[0]!.sure.every(({ window, cls }) => window[0]! > 0 === (cls === 1))).toBe(true);
  });

  it('sets labels aside that contradict windows which look alike, and what cannot be seen with them', () => {
    // at the very edge a window has neighbours too far away to be judged
    const odd = { window: Int8Array.of(-70, 60), length: 1, cls: 0 };
    const wrong = [...both(10), ...as(1, windows(3, 0)), odd];
    const { verdicts, trusted, groups } = audit(wrong);
    expect(verdicts.slice(20, 23)).toContain('contradicted');
    expect(verdicts[23]).toBe('unknown');
    expect(trusted.every((i) => i < 20)).toBe(true);
    expect(trusted.length).toBeGreaterThan(15);
    expect(groups[0]!.distrusted).toBe(false);
    expect(audit([...both(10), odd]).trusted).toContain(20);
  });

  it('distrusts an origin of which most labels are wrong, there alone', () => {
    const fresh = [...as(1, windows(12, 0)), ...both(6)];
    const origins = fresh.map((_, i) => ({ device: 'w', source: i < 12 ? 'bad' : 'good' }));
    const { groups, trusted } = audit(fresh, { origins });
    expect(groups.map(({ name, distrusted }) => [name, distrusted])).toEqual([
      ['w, bad', true],
      ['w, good', false],
    ]);
    expect(trusted.every((i) => i >= 12)).toBe(true);
    expect(trusted.length).toBeGreaterThan(6);
  });

  it('distrusts a source on a device whose world is new, for what it says where that can be seen', () => {
    const fresh = [...as(1, windows(12, 0)), ...both(5, 90)];
    const device = (i: number) => (i < 12 ? 'w' : 'moved');
    const recent = new Map([
      ['w', both(30)],
      ['moved', both(30, 90)],
    ]);
    const by = (source: (i: number) => string) =>
      audit(fresh, {
        recent,
        origins: fresh.map((_, i) => ({ device: device(i), source: source(i) })),
      }).trusted;
    expect(by(() => 'person')).toEqual([]);
    expect(by((i) => (i < 12 ? 'person' : 'other'))).toEqual([...fresh.keys()].slice(12));
  });

  it('contradicts nobody where windows look new, however many labels differ', () => {
    const fresh = as(1, both(10, 60));
    const { inForce, trusted, grounds } = audit(fresh, {
      recent: new Map([['w', both(30, 60)]]),
      lately: new Map([['w', both(30, 60)]]),
    });
    expect(inForce).toBe(false);
    expect(grounds[0]).toMatchObject({ windows: 60, sure: [] });
    expect(grounds[0]!.known).toBeLessThan(0.1);
    expect(trusted).toEqual([...fresh.keys()]);
  });

  it('takes a world that is half as it was by whether its labels agree with that', () => {
    const recent = new Map([['w', [...both(15), ...both(15, 90)]]]);
    const agreeing = audit([...both(5), ...as(1, windows(2, 0))], { recent });
    expect(agreeing.inForce).toBe(true);
    const other = audit([...as(1, windows(9, 0)), ...as(0, windows(9, 1))], { recent });
    expect(other.inForce).toBe(false);
    expect(other.trusted.length).toBe(18);
  });

  it('unchanged() names the devices whose world is as it was, where that of another is not', () => {
    const fresh = [...both(4), ...both(4, 90)];
    const here = { same: both(30), moved: both(30, 90) };
    const of = (byDevice: Record<string, Example[]>) => {
      const windows = new Map(Object.entries(byDevice));
      const origins = fresh.map((_, i) => ({ device: i < 8 ? 'same' : 'moved', source: 'person' }));
      return unchanged(
        audit(fresh, { recent: windows, lately: windows, labelled: windows, origins }),
      );
    };
    expect(of(here)).toEqual(['same']);
    expect(of({ same: both(30), moved: both(30) })).toEqual([]);
    expect(of({ same: both(30, 90), moved: both(30, 90) })).toEqual([]);
  });

  it('says nothing without enough earlier windows', () => {
    const { inForce, verdicts } = audit(as(1, windows(5, 0)), { memory: both(14) });
    expect([inForce, new Set(verdicts)]).toEqual([false, new Set(['unknown'])]);
  });

  it('throws RangeError where a label has no origin', () => {
    expect(() => audit(both(2), { origins: [] })).toThrow(RangeError);
  });
});
