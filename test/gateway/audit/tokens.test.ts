import { cpSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createAccess } from '../../../gateway/access.ts';
import { drawSecret } from '../../../gateway/secret.ts';
import { temporary } from '../store/support.ts';
import { fill, look, openGateway, tamper } from './support.ts';

/** A folder with a viewer's token, and a revoked one. */
async function folder(): Promise<{ directory: string; ann: string; bob: string }> {
  const directory = temporary();
  fill(directory, 1);
  const { store, sealer } = openGateway(directory);
  const { calls } = createAccess({ store, clock: { now: () => 5000 } as never });
  const { id: ann } = await calls.addToken({ name: 'ann', role: 'viewer', days: 3 });
  const { id: bob } = await calls.addToken({ name: 'bob', role: 'admin' });
  await calls.revokeToken(bob);
  sealer.seal();
  store.close();
  return { directory, ann, bob };
}

describe('verifyStore()', () => {
  it('finds a token that was put in, changed, given back or removed', async () => {
    const { directory, ann, bob } = await folder();
    expect(look(directory).problems).toEqual([]);
    const { id, hash } = drawSecret('wt');
    const put = 'INSERT INTO tokens (id, name, role, hash, addedAt) VALUES (?, ?, ?, ?, 1)';
    const forgeries: [(db: DatabaseSync) => unknown, string][] = [
      [(db) => db.prepare(put).run(id, 'eve', 'admin', hash), `token ${id} is not in the log`],
      [
        (db) => db.exec(`UPDATE tokens SET role = 'admin' WHERE id = '${ann}'`),
        `token ${ann}: its`,
      ],
      [
        (db) => db.exec(`UPDATE tokens SET expiresAt = NULL WHERE id = '${ann}'`),
        `token ${ann}: its`,
      ],
      [(db) => db.prepare('UPDATE tokens SET hash = ? WHERE id = ?').run(hash, ann), 'or itself'],
      [(db) => db.exec(`UPDATE tokens SET revokedAt = NULL WHERE id = '${bob}'`), 'the revocation'],
      [(db) => db.exec(`DELETE FROM tokens WHERE id = '${bob}'`), 'is gone'],
    ];
    for (const [change, why] of forgeries) {
      const changed = copy(directory);
      tamper(changed, (db) => void change(db));
      const { ok, problems } = look(changed);
      expect(ok, why).toBe(false);
      expect(problems[0]).toMatchObject({ what: 'token', why: expect.stringContaining(why) });
    }
  });
});

function copy(directory: string): string {
  const to = temporary();
  cpSync(directory, to, { recursive: true });
  return to;
}
