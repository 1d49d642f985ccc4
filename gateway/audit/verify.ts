import { flawOf, statementOf } from '../registry/proof.ts';
import { brokenTrust, type Trust, trustIn } from '../registry/trust.ts';
import type { HeadRow } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import { contradictions } from './contradictions.ts';
import { trustInHead } from './heads.ts';
import type { Problem, Verification } from './verification.ts';
import { walk } from './walk.ts';

/** What a store is compared with. */
export interface Against {
  /** the head that lies beside the store; null if that is damaged, undefined without one */
  beside?: HeadRow | null | undefined;
  /** a hash of an entry that somebody noted, hex, or its first digits */
  noted?: string | undefined;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/**
 * Checks everything that a store says of its past: the chain of the log, its signed heads, the chain of
 * the signing keys, the signature and every hash of each version and release, and that the log tells the
 * same as the tables.
 *
 * @param store may be one that is only looked at
 * @param against what is kept elsewhere: it alone shows that a whole store was put back
 */
export function verifyStore(store: Store, against: Against = {}): Verification {
  return store.look(() => {
    const { catalogue, gateway, journal } = store;
    const problems: Problem[] = [];
    const notes: string[] = [];
    const problem = (what: Problem['what'], why: string, entry: number | null = null): void =>
      void problems.push({ what, entry, why });

    const keys = store.signers.list();
    const broken = brokenTrust(gateway, keys);
    if (broken !== undefined) problem('key', broken);
    const trust = (bytes: Uint8Array, signature: Uint8Array, signer: string | null): Trust =>
      trustIn(keys, bytes, signature, signer);

    const heads = journal.heads();
    const wanted = [...heads.map(({ event }) => event), against.beside?.event ?? 0];
    const log = walk(store, wanted, against.noted);
    if (log.bad !== undefined) problem('log', log.bad.why, log.bad.entry);

    let signed: HeadRow | undefined;
    for (const head of heads) {
      const { event } = head;
      const worth = trustInHead(gateway, head, trust);
      if (worth === 'wrong' || worth === 'unknown') {
        problem('head', `the head of entry #${event} is not signed by this gateway`);
        break;
      }
      const there = log.hashes.get(event);
      if (there === undefined || Buffer.compare(there, head.hash) !== 0) {
        const from = (signed?.event ?? 0) + 1;
        if (log.bad === undefined && event > log.entries) {
          problem(
            'log',
            `cut off behind #${log.entries}: #${event} had been signed`,
            log.entries + 1,
          );
        } else if (log.bad === undefined) {
          problem('log', `made anew: one of #${from} to #${event} is not what was signed`, from);
        }
        break;
      }
      signed = head;
    }
    besideIt();
    if (against.noted !== undefined && log.noted === undefined && log.bad === undefined) {
      problem('log', `no entry has the noted hash ${against.noted}: cut off, or made anew`);
    }
    if (log.entries > 0 && heads.length === 0) {
      problem('head', 'the log has no signed head: nothing shows that it is whole');
    }
    const open = log.entries - (signed?.event ?? 0);
    if (signed !== undefined && open > 0) notes.push(`${open} entries are not signed yet`);
    notes.push(...log.notes);

    const models = catalogue.models({});
    for (const model of models) {
      const flaw = flawOf(model, catalogue.part, trust);
      const name = `version ${model.version.slice(0, 8)}`;
      if (flaw === 'revoked') notes.push(`${name} (${model.stage}): its key is revoked`);
      else if (flaw !== undefined) problem('model', `${name}: its ${flaw} is not what was signed`);
    }
    const releases = catalogue.releases();
    for (const row of releases) {
      const worth = trust(statementOf(gateway, row), row.signature, row.signer);
      if (worth === 'wrong' || worth === 'unknown') {
        problem('release', `release ${row.release} is not the one that was signed`);
      }
    }
    // a log that is not whole contradicts everything
    if (log.bad === undefined) problems.push(...contradictions(store, log.told, keys));

    function besideIt(): void {
      const { beside } = against;
      if (beside === null) problem('head', 'the file of the head is damaged');
      if (beside === undefined) {
        notes.push('no head lies beside the store');
        return;
      }
      if (beside === null) return;
      const worth = trustInHead(gateway, beside, trust);
      const there = log.hashes.get(beside.event);
      if (there !== undefined && Buffer.compare(there, beside.hash) === 0) return;
      if (log.bad !== undefined) return;
      if (worth === 'wrong' || worth === 'unknown') {
        problem('head', 'the head beside the store is not signed by this gateway');
      } else if (log.restored > 0 && log.restored <= beside.event) {
        notes.push(
          `restored from a backup at #${log.restored}; the log before went on to #${beside.event}`,
        );
      } else {
        const at = Math.min(log.entries, signed?.event ?? 0) + 1;
        problem(
          'log',
          `cut off or made anew: the head beside the store is of #${beside.event}`,
          at,
        );
      }
    }

    return {
      ok: problems.length === 0,
      entries: log.entries,
      head: { entry: log.entries, hash: hex(log.hash) },
      signed: signed ? { entry: signed.event, signer: signed.signer, at: signed.at } : null,
      ...{ models: models.length, releases: releases.length, keys: keys.length, problems, notes },
    };
  });
}
