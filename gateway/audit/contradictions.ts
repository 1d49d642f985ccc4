import { decodeManifest } from '../registry/manifest.ts';
import { type ModelRow, sha256 } from '../store/catalogue.ts';
import type { SignerRow } from '../store/signers.ts';
import type { Store } from '../store/store.ts';
import type { Problem } from './verification.ts';
import { type Told, tokenLine } from './walk.ts';

/**
 * Where tables tell something else than the log: it cannot be changed, they can.
 *
 * @param told what a log says that is whole
 */
export function contradictions(store: Store, told: Told, keys: readonly SignerRow[]): Problem[] {
  const { catalogue } = store;
  const problems: Problem[] = [];
  const problem = (what: Problem['what'], why: string): void =>
    void problems.push({ what, entry: null, why });
  const both = (
    what: Problem['what'],
    name: string,
    here: Set<unknown>,
    log: Set<unknown>,
  ): void => {
    for (const id of here.difference(log)) problem(what, `${name} ${short(id)} is not in the log`);
    for (const id of log.difference(here))
      problem(what, `${name} ${short(id)} is gone, the log has it`);
  };

  const models = catalogue.models({});
  both(
    'model',
    'version',
    new Set(models.map(({ version }) => version)),
    new Set(told.registered.keys()),
  );
  for (const { version, stage, report, at, ...row } of models) {
    const known = told.registered.get(version);
    const isReport = known?.report === undefined || known.report === sha256(Buffer.from(report));
    if (!isReport) problem('model', `version ${short(version)}: its report is not the log's`);
    const isKnown = known === undefined || known.at === at;
    if (!isKnown || !isOf(row, version)) {
      problem('model', `version ${short(version)}: its row is not what its manifest says`);
    }
    const log = told.stages.get(version) ?? [];
    const rows = catalogue.stages(version).map(({ version: _, ...row }) => row);
    const name = `version ${short(version)}`;
    if (log.at(-1)?.stage !== stage) {
      problem('stage', `${name} is ${stage}, the log says ${log.at(-1)?.stage ?? 'nothing'}`);
    }
    const said = (list: typeof log): string =>
      JSON.stringify(list.map(({ stage: to, who, why, at }) => [to, who, why, at]));
    if (said(log) !== said(rows)) problem('stage', `the history of ${name} is not the log's`);
  }
  const releases = catalogue.releases();
  both(
    'release',
    'release',
    new Set(releases.map((r) => r.release)),
    new Set(told.releases.keys()),
  );
  for (const { release, version } of releases) {
    const log = told.releases.get(release);
    if (log !== undefined && log !== version) {
      problem('release', `release ${release} is of ${short(version)}, the log says ${short(log)}`);
    }
  }
  both('key', 'signing key', new Set(keys.map(({ id }) => id)), told.keys);
  const revoked = keys.filter(({ revokedAt }) => revokedAt !== null);
  both('key', 'the revocation of key', new Set(revoked.map(({ id }) => id)), told.revoked);
  const tokens = store.tokens.list();
  both('token', 'token', new Set(tokens.map(({ id }) => id)), new Set(told.tokens.keys()));
  for (const { id, role, hash, expiresAt } of tokens) {
    const line = tokenLine(role, Buffer.from(hash).toString('hex'), expiresAt);
    const log = told.tokens.get(id);
    if (log !== undefined && log !== line) {
      problem('token', `token ${id}: its role, its time or itself is not the log's`);
    }
  }
  const ended = tokens.filter(({ revokedAt }) => revokedAt !== null);
  const revocations = new Set(ended.map(({ id }) => id));
  both('token', 'the revocation of token', revocations, told.revokedTokens);
  return problems;
}

/** Whether columns that repeat the manifest, to be searched by, repeat it rightly. */
function isOf(
  row: Omit<ModelRow, 'version' | 'stage' | 'report' | 'at'>,
  version: string,
): boolean {
  if (sha256(row.manifest) !== version) return true; // it is told as such
  const { task, scope, parent, lineage } = decodeManifest(row.manifest);
  const said = [row.task, row.scopeKind, row.scopeId, row.parent, row.snapshot];
  return said.join('\0') === [task, scope.kind, scope.id, parent, lineage.dataSnapshot].join('\0');
}

const short = (id: unknown): string => String(id).slice(0, 16);
