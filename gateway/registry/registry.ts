import { crc32 } from 'node:zlib';
import { MOST_GOLDEN } from '../../device/core/update.ts';
import { GatewayError } from '../errors.ts';
import { type ModelRow, type ReleaseRow, type StageRow, sha256 } from '../store/catalogue.ts';
import type { Store } from '../store/store.ts';
import type { Device } from '../store/types.ts';
import { type Keyring, openKeyring } from './keyring.ts';
import {
  checkLayout,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type PartName,
  type Parts,
  partNames,
  type Scope,
  scopeName,
  shortId,
} from './manifest.ts';
import { type Flaw, flawOf, refuse, statementOf } from './proof.ts';
import type { Signer } from './signing.ts';
import { type Stage, stageChanges } from './stages.ts';

/** A registered version. */
export interface Model {
  version: string;
  manifest: Manifest;
  stage: Stage;
  /** the gate's report, as it was given */
  report: unknown;
  /** when it was registered, ms since 1970 */
  at: number;
}

/** What {@link Registry.verify} found. */
export type Verified = { ok: true } | { ok: false; why: 'unknown' | Flaw };

/** Who does it, and why: kept with every change. */
export interface Because {
  who: string;
  why: string;
}

type OfferedPart = [id: Uint8Array, length: number, crc32: number];

/** An offer as it goes to a device: the message's fields, with the bytes of the parts. */
export interface PreparedOffer {
  release: number;
  /** first 8 bytes */
  version: Uint8Array;
  /** id, length and crc32 of pre, backbone and head */
  parts: [OfferedPart, OfferedPart, OfferedPart];
  goldenSeed: number;
  goldenCount: number;
  golden: Uint8Array;
  /** until when it may be offered, ms since 1970 */
  expires: number;
  bytes: Uint8Array[];
}

/** Every version there is, what it came from, and which one serves whom. */
export interface Registry {
  /**
   * Registers a candidate: stores its parts, signs its manifest.
   *
   * @returns its version; the one that exists already if parts and origin are the same
   * @param who brought it, for the log; default the gateway itself
   * @throws RangeError for more golden windows than a device takes
   */
  register(parts: Parts, meta: Omit<Manifest, 'parts'>, report: unknown, who?: string): string;
  /** Recomputes every hash and checks the signature and the key. */
  verify(version: string): Verified;
  /** The keys that sign. */
  readonly keyring: Keyring;
  /**
   * Signs a version with the newest key, in the place of its present signature: for one whose key was
   * revoked, after somebody has looked at it.
   *
   * @throws GatewayError 'not-found'; 'bad-hash' if anything in it is not what its name says
   */
  signAgain(version: string, because: Because): void;
  /** @throws GatewayError 'not-found' */
  get(version: string): Model;
  /** The version whose hash begins so, if it is one alone. */
  find(prefix: string): string | undefined;
  list(filter?: { task?: string; stage?: Stage; scope?: Scope }): Model[];
  /** @throws GatewayError 'not-found' */
  parts(version: string): Parts;
  /** The version and those that it came from, newest first. */
  lineage(version: string): Model[];
  /**
   * Changes a stage. A new champion retires the one of its scope, in the same moment.
   *
   * @throws GatewayError 'not-allowed' if this stage cannot follow the present one
   */
  setStage(version: string, stage: Stage, because: Because): void;
  history(version: string): StageRow[];
  /** The champion of exactly this scope. */
  champion(task: string, scope: Scope): string | undefined;
  /** What a device should run: its own champion, else its cohort's, else the fleet's. */
  championFor(device: Pick<Device, 'id' | 'cohort' | 'task'>): string | undefined;
  /** Devices that this scope's champion serves: those without a champion of a narrower scope. */
  served(task: string, scope: Scope): Device[];
  /**
   * Gives a version the next release number, in a statement that is signed and ends some day. Every
   * number is higher than all before.
   *
   * @throws GatewayError as {@link Registry.offer}, if the version does not verify
   */
  release(version: string, why: string): number;
  /** What a release number stands for; undefined if this gateway never gave it. */
  releaseOf(
    release: number,
  ): { version: string; at: number; expires: number; why: string } | undefined;
  /** The newest release of a version; undefined if it was never released. */
  latestRelease(version: string): number | undefined;
  /**
   * What a device is to be offered.
   *
   * @param task of the device
   * @throws GatewayError 'bad-hash', 'bad-signature', 'bad-key' or 'revoked-key' if version or release do
   *   not verify, 'expired-release' if its time is over, 'wrong-board' if it is for another task: then
   *   nothing leaves the gateway
   */
  offer(release: number, task?: string): PreparedOffer;
  /**
   * Says of a release again, with the newest key, that it is to be offered, and until when.
   *
   * @throws GatewayError as {@link Registry.release}
   */
  renew(release: number, why: string): void;
}

/** How long a release is offered: what nobody has released again for so long, nobody has looked at. */
const RELEASE_DAYS = 90;
const DAY_MS = 86_400_000;

/**
 * Opens the registry over a store.
 *
 * @param store where everything is kept
 * @param signer the gateway's key
 * @param now ms since 1970
 * @throws GatewayError 'store' if it holds models of another layout: none of them could be sent; 'bad-key' if
 *   the signer's key is not the store's newest
 */
export function openRegistry(store: Store, signer: Signer, now: () => number = Date.now): Registry {
  const { catalogue, journal } = store;
  const keyring = openKeyring(store, signer, now);
  for (const { version, manifest } of catalogue.models({})) {
    // a damaged one is refused when it is to be sent, and keeps no gateway from starting
    if (sha256(manifest) === version) checkLayout(manifest);
  }

  function row(version: string): ModelRow {
    const found = catalogue.model(version);
    if (found === undefined) {
      throw new GatewayError('not-found', `no model ${version}`, { hint: 'see: whetstone models' });
    }
    return found;
  }

  function toModel(found: ModelRow): Model {
    const { version, manifest, stage, report, at } = found;
    return {
      ...{ version, manifest: decodeManifest(manifest), stage: stage as Stage },
      ...{ report: JSON.parse(report), at },
    };
  }

  const flaw = (found: ModelRow) => flawOf(found, catalogue.part, keyring.trust);

  /** When a release ends; one that was made before releases ended has as long as any. */
  const endOf = ({ at, expires }: ReleaseRow) => expires ?? at + RELEASE_DAYS * DAY_MS;

  function champion(task: string, scope: Scope): string | undefined {
    const [found] = catalogue.models({
      ...{ task, stage: 'champion', scopeKind: scope.kind, scopeId: scope.id },
    });
    return found?.version;
  }

  /** The scopes that serve a device, narrowest first. */
  function scopesOf({ id, cohort }: Pick<Device, 'id' | 'cohort'>): Scope[] {
    const scopes: Scope[] = [{ kind: 'device', id }];
    if (cohort !== null) scopes.push({ kind: 'cohort', id: cohort });
    return [...scopes, { kind: 'fleet', id: '' }];
  }

  function put(row: StageRow): void {
    catalogue.setStage(row);
    const { version, stage, who, why } = row;
    journal.write('model.stage', version, { stage, who, why }, row.at);
  }

  function parts(version: string): Parts {
    const { parts: refs } = decodeManifest(row(version).manifest);
    return Object.fromEntries(
      partNames.map((name) => {
        const bytes = catalogue.part(refs[name].sha256);
        if (bytes === undefined) {
          throw new GatewayError('not-found', `part ${name} of model ${version} is missing`);
        }
        return [name, bytes];
      }),
    ) as Parts;
  }

  return {
    register: (given, meta, report, who) => {
      if (!(meta.golden.count <= MOST_GOLDEN)) {
        throw new RangeError(
          `a device takes ${MOST_GOLDEN} golden windows, not ${meta.golden.count}`,
        );
      }
      return store.transaction(() => {
        const refs = partNames.map((name) => {
          const { [name]: bytes } = given;
          const ref = { sha256: catalogue.addPart(bytes), length: bytes.length };
          return [name, { ...ref, crc32: crc32(bytes) }] as const;
        });
        const manifest: Manifest = {
          ...meta,
          parts: Object.fromEntries(refs) as Manifest['parts'],
        };
        const bytes = encodeManifest(manifest);
        const version = sha256(bytes);
        if (catalogue.model(version) !== undefined) return version;
        const { task, scope, parent, lineage } = manifest;
        const at = now();
        catalogue.addModel({
          ...{ version, manifest: bytes, ...keyring.sign(bytes), task, parent, at },
          ...{ scopeKind: scope.kind, scopeId: scope.id, snapshot: lineage.dataSnapshot },
          ...{ stage: 'candidate', report: JSON.stringify(report ?? null) },
        });
        const { rung } = lineage;
        const proof = sha256(Buffer.from(JSON.stringify(report ?? null)));
        const by = who !== undefined && { who };
        const about = { scope: scopeName(scope), parent, rung, report: proof, ...by };
        journal.write('model.registered', version, about, at);
        put({ version, stage: 'candidate', at, who: who ?? 'gateway', why: `rung ${rung}` });
        return version;
      });
    },
    verify(version) {
      const found = catalogue.model(version);
      const why = found === undefined ? 'unknown' : flaw(found);
      return why === undefined ? { ok: true } : { ok: false, why };
    },
    keyring,
    signAgain: (version, { who, why }) =>
      store.transaction(() => {
        const found = row(version);
        const signed = { ...found, ...keyring.sign(found.manifest) };
        refuse(`version ${version.slice(0, 8)}`, flaw(signed));
        catalogue.signModel(signed);
        journal.write('model.signed', version, { who, reason: why, signer: signed.signer }, now());
      }),
    get: (version) => toModel(row(version)),
    find(prefix) {
      const all = catalogue.models({}).filter(({ version }) => version.startsWith(prefix));
      return all.length === 1 ? all[0].version : undefined;
    },
    list: ({ task, stage, scope } = {}) =>
      catalogue.models({ task, stage, scopeKind: scope?.kind, scopeId: scope?.id }).map(toModel),
    parts,
    lineage(version) {
      const line = [toModel(row(version))];
      for (let parent = line[0].manifest.parent; parent !== null; ) {
        const found = catalogue.model(parent);
        if (found === undefined) break;
        line.push(toModel(found));
        parent = line[line.length - 1].manifest.parent;
      }
      return line;
    },
    setStage: (version, stage, { who, why }) =>
      store.transaction(() => {
        const { stage: present, task, scopeKind, scopeId } = row(version);
        if (!stageChanges[present as Stage].includes(stage)) {
          throw new GatewayError(
            'not-allowed',
            `model ${version} is ${present}, not to be ${stage}`,
          );
        }
        const at = now();
        if (stage === 'champion') {
          const before = champion(task, { kind: scopeKind as Scope['kind'], id: scopeId });
          if (before !== undefined) {
            put({ version: before, stage: 'retired', at, who, why: `followed by ${version}` });
          }
        }
        put({ version, stage, at, who, why });
      }),
    history: (version) => catalogue.stages(version),
    champion,
    championFor(device) {
      for (const scope of scopesOf(device)) {
        const found = champion(device.task, scope);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    served: (task, scope) =>
      store.devices.list({ task }).filter((device) => {
        const scopes = scopesOf(device);
        const own = scopes.findIndex(({ kind, id }) => kind === scope.kind && id === scope.id);
        return own >= 0 && scopes.slice(0, own).every((s) => champion(task, s) === undefined);
      }),
    release: (version, why) =>
      store.transaction(() => {
        refuse(`version ${version.slice(0, 8)}`, flaw(row(version)));
        const at = now();
        const record = { release: catalogue.nextRelease(), version, at, why };
        const limited = { ...record, expires: at + RELEASE_DAYS * DAY_MS };
        const signed = keyring.sign(statementOf(store.gateway, limited));
        catalogue.addRelease({ ...limited, ...signed });
        journal.write('model.released', version, { release: record.release, why }, at);
        return record.release;
      }),
    renew: (release, why) =>
      store.transaction(() => {
        const before = catalogue.release(release);
        if (before === undefined) throw new GatewayError('not-found', `no release ${release}`);
        const { version } = before;
        refuse(`version ${version.slice(0, 8)}`, flaw(row(version)));
        const at = now();
        const record = { release, version, at, why, expires: at + RELEASE_DAYS * DAY_MS };
        catalogue.addRelease({ ...record, ...keyring.sign(statementOf(store.gateway, record)) });
        journal.write('model.released', version, { release, why, again: true }, at);
      }),
    releaseOf(release) {
      const found = catalogue.release(release);
      return (
        found && { version: found.version, at: found.at, expires: endOf(found), why: found.why }
      );
    },
    latestRelease: (version) => catalogue.releasesOf(version).at(-1)?.release,
    offer(release, task) {
      const record = catalogue.release(release);
      if (record === undefined) throw new GatewayError('not-found', `no release ${release}`);
      const found = row(record.version);
      const name = `release ${release}`;
      refuse(name, flaw(found));
      const said = statementOf(store.gateway, record);
      refuse(`${name}: its statement`, keyring.trust(said, record.signature, record.signer));
      const expires = endOf(record);
      if (now() >= expires) {
        throw new GatewayError('expired-release', `${name} is over since ${dayOf(expires)}`, {
          hint: `release it again: whetstone promote ${record.version.slice(0, 8)}`,
        });
      }
      const { parts: refs, golden, task: own } = decodeManifest(found.manifest);
      if (task !== undefined && task !== own) {
        throw new GatewayError('wrong-board', `${name} is for task '${own}', not '${task}'`);
      }
      const bytes = parts(record.version);
      const offered = (name: PartName): OfferedPart => {
        const { sha256: hash, length, crc32: crc } = refs[name];
        return [shortId(hash), length, crc];
      };
      return {
        release,
        version: shortId(record.version),
        parts: [offered('pre'), offered('backbone'), offered('head')],
        ...{ goldenSeed: golden.seed, goldenCount: golden.count },
        golden: new Uint8Array(golden.outputs.buffer),
        expires,
        bytes: partNames.map((name) => bytes[name]),
      };
    },
  };
}

const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
