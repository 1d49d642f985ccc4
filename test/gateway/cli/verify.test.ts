import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compose } from '../../../gateway/compose.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { loadTask } from '../../../gateway/task.ts';
import { meta, parts } from '../registry/support.ts';
import { whetstone } from './run.ts';

/** A gateway with two versions in a folder. */
function gatewayIn() {
  const directory = mkdtempSync(join(tmpdir(), 'whetstone-cli-verify-'));
  const gateway = compose({
    ...{ task: loadTask('gesture'), directory, clock: realClock, automatic: false, seed: 1 },
  });
  const versions = [1, 2].map((head) => gateway.registry.register(parts(head), meta(), null));
  onTestFinished(async () => {
    await gateway.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { ...gateway, directory, versions };
}

const at = (directory: string) => ['--data-dir', directory];

describe('whetstone verify', () => {
  it('finds all as it was signed, beside a running gateway, and a noted head later', async () => {
    const { directory, store, sealer, registry, versions, close } = gatewayIn();
    sealer.seal();
    const first = await whetstone('verify', ...at(directory));
    expect([first.status, first.err]).toEqual([0, '']);
    expect(first.out).toMatch(
      /^5 entries, signed up to #5 .*; 2 versions, 0 releases, 1 signing keys$/m,
    );
    const noted = Buffer.from(store.journal.head().hash).toString('hex');
    expect(first.out).toContain(`head #5 ${noted}`);
    registry.setStage(versions[0]!, 'trial', { who: 'ann', why: 'to see' });
    await close();
    const later = await whetstone(
      'verify',
      ...at(directory),
      '--head',
      noted.slice(0, 16),
      '--json',
    );
    expect(later.status).toBe(0);
    expect(JSON.parse(later.out)).toMatchObject({ ok: true, entries: 6, models: 2, problems: [] });
    const other = await whetstone('verify', ...at(directory), '--head', 'f'.repeat(16));
    expect(other.status).toBe(1);
    expect(other.out).toMatch(/WRONG log: no entry has the noted hash f{16}/);
    expect((await whetstone('verify', ...at(directory), '--head', 'short')).status).toBe(2);
  });

  it.each([
    ['an altered entry', "UPDATE events SET subject = 'somebody' WHERE id = 2", /#2/],
    ['a removed entry', 'DELETE FROM events WHERE id = 2', /#[23]/],
    ['an altered part', "UPDATE parts SET bytes = x'00' WHERE length(bytes) = 2", /version/],
  ])('names %s and ends with 1', async (_, sql, where) => {
    const { directory, close } = gatewayIn();
    await close();
    const db = new DatabaseSync(join(directory, 'store.db'));
    const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
    db.exec(sql);
    db.close();
    const { status, out } = await whetstone('verify', ...at(directory));
    expect(status).toBe(1);
    expect(out).toMatch(/^WRONG /m);
    expect(out).toMatch(where);
    expect(out).not.toContain('all is as it was');
  });

  it('says where there is no store', async () => {
    const nowhere = await whetstone('verify', ...at('/nowhere'));
    expect(nowhere).toMatchObject({ status: 1, err: expect.stringMatching(/\/nowhere/) });
  });
});

describe('whetstone audit', () => {
  it('lists what was decided, by whom, with the hash of each entry', async () => {
    const { directory, store, registry, versions } = gatewayIn();
    registry.setStage(versions[0]!, 'trial', { who: 'ann', why: 'to see' });
    store.journal.write('accuracy.changed', 'w1', {}, Date.now()); // decides nothing
    const { status, err, out } = await whetstone('audit', ...at(directory));
    expect([status, err]).toEqual([0, '']);
    const rows = store.journal.rows(0, 100);
    const hashes = rows.map(({ hash }) => Buffer.from(hash).toString('hex'));
    for (const hash of hashes.slice(0, 6)) expect(out).toContain(hash.slice(0, 16));
    expect(out).not.toMatch(/^#7 /m);
    expect(out).toContain('(by ann)');
    expect(out.trimEnd()).toMatch(new RegExp(`head #7 ${hashes.at(-1)}$`));

    const json = async (...more: string[]) =>
      JSON.parse((await whetstone('audit', ...at(directory), '--json', ...more)).out);
    const ids = ({ entries }: { entries: { id: number }[] }) => entries.map(({ id }) => id);
    expect(ids(await json())).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ids(await json('--all'))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(ids(await json('--limit', '2'))).toEqual([5, 6]);
    expect(ids(await json('--since', '2', '--all'))).toEqual([3, 4, 5, 6, 7]);
    expect((await json()).head).toEqual({ entry: 7, hash: hashes.at(-1) });
  });
});
