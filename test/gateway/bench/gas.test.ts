import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gasRows } from '../../../gateway/bench/gas.ts';
import { createRandom } from '../../../gateway/random.ts';
import { loadTask } from '../../../gateway/task.ts';

const { sensors, kinds } = loadTask('gas').recordings.array!;

/** Three small batches: a gas is a pattern over the sensors, whose gains drift from batch to batch. */
function recordings(): string {
  const dir = mkdtempSync(join(tmpdir(), 'whetstone-gas-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const random = createRandom(1);
  const gains = new Float64Array(sensors);
  for (let b = 1; b <= 3; b++) {
    const lines = Array.from({ length: 72 }, (_, n) => {
      const cls = n % 6;
      const amount = Math.exp(0.3 * random.gaussian());
      const fields = Array.from({ length: sensors * kinds.length }, (_, i) => {
        const { floor, full } = kinds[i % kinds.length]!;
        const s = Math.floor(i / kinds.length);
        const strength = amount * Math.exp(gains[s]! + 0.05 * random.gaussian());
        const pattern = 1 + ((s * (cls + 1)) % 7);
        const value = Math.sign(full) * Math.sqrt(floor * Math.abs(full)) * strength * pattern;
        return `${i + 1}:${value.toFixed(6)}`;
      });
      return [cls + 1, ...fields].join(' ');
    });
    writeFileSync(join(dir, `batch${b}.dat.gz`), gzipSync(lines.join('\n')));
    for (let s = 0; s < sensors; s++) gains[s]! += 0.1 * random.gaussian();
  }
  return dir;
}

describe('gasRows()', () => {
  it('tests each batch by what was known before it, beside a peer of the same run', async () => {
    const said: string[] = [];
    const rows = await gasRows({ data: recordings(), seeds: 2, onProgress: (w) => said.push(w) });
    const row = (part: string) => rows.find(({ name }) => name.includes(part))!;
    const forward = row('all earlier batches, mean of T');
    expect(forward).toMatchObject({ aim: 'at least 0.95', met: true, unit: 'share' });
    expect(forward.perSeed).toHaveLength(2);
    expect(forward.interval).toHaveLength(2);
    const perBatch = rows.filter(({ name }) => /, T = \d$/.test(name));
    expect(perBatch.map(({ name }) => name.at(-1))).toEqual(['3']);
    expect(forward.value).toBe(perBatch[0]!.value);
    const aligned = row('no labels, mean of K');
    expect(aligned).toMatchObject({ aim: 'at least 0.815', met: true });
    expect(aligned.value).toBeGreaterThan(0.95);
    for (const { name, peerValue } of rows.filter(({ name }) => / [TK] = /.test(name))) {
      expect(peerValue, name).toBeGreaterThan(0.3);
    }
    expect(row('bytes of the net').value).toBeGreaterThan(10_000);
    expect(said.filter((what) => what.endsWith('election'))).toHaveLength(1);
  }, 120_000);

  it('says that there are no recordings', async () => {
    const rows = await gasRows({ data: '/nowhere' });
    expect(rows.map(({ skipped, aim }) => [skipped, aim])).toEqual([
      ['skipped: no recordings', 'at least 0.95'],
      ['skipped: no recordings', 'at least 0.815'],
    ]);
  });
});
