// Writes a store of an earlier schema as SQL text, made by the code of that schema:
//   git worktree add /tmp/then COMMIT && ln -s "$PWD/node_modules" /tmp/then/node_modules
//   node test/gateway/store/schemas/make.ts /tmp/then > test/gateway/store/schemas/schema-N.sql
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fillStore } from '../whole.ts';

const root = resolve(process.argv[2]!);
const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).toString().trim();
const { openStore } = await import(join(root, 'gateway/store/store.ts'));
const directory = mkdtempSync(join(tmpdir(), 'whetstone-schema-'));
const store = openStore({ directory });
await fillStore(store);
store.close();

const db = new DatabaseSync(join(directory, 'store.db'));
const { user_version: schema } = db.prepare('PRAGMA user_version').get() as {
  user_version: number;
};
const literal = (value: unknown): string => {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value !== 'string') return String(value);
  return `'${value.replaceAll("'", "''")}'`;
};
const objects = db
  .prepare(
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY rowid",
  )
  .all() as { type: string; name: string; sql: string }[];
const lines = [`-- Schema ${schema}, as the code of commit ${commit} wrote it (see make.ts).`];
for (const { type, name, sql } of objects.filter((o) => o.type !== 'trigger')) {
  lines.push(`${sql};`);
  if (type !== 'table') continue;
  for (const row of db.prepare(`SELECT * FROM "${name}"`).all()) {
    lines.push(`INSERT INTO "${name}" VALUES (${Object.values(row).map(literal).join(', ')});`);
  }
}
for (const { sql } of objects.filter((o) => o.type === 'trigger')) lines.push(`${sql};`);
lines.push(`PRAGMA user_version = ${schema};`);
process.stdout.write(`${lines.join('\n')}\n`);
db.close();
rmSync(directory, { recursive: true });
