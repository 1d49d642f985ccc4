import { Encoder } from 'cbor-x';
import { GatewayError } from '../errors.ts';
import { sha256 } from '../store/catalogue.ts';

/** The three parts of a model, in the order in which they travel. */
export const partNames = ['pre', 'backbone', 'head'] as const;
export type PartName = (typeof partNames)[number];

/** Bytes of each part. */
export type Parts = Record<PartName, Uint8Array>;

/** How a part is named and checked. */
export interface PartRef {
  /** lower-case hex */
  sha256: string;
  /** bytes */
  length: number;
  /** what a device compares */
  crc32: number;
}

/** Whom a model serves; the id of the fleet is ''. */
export interface Scope {
  kind: 'fleet' | 'cohort' | 'device';
  id: string;
}

/**
 * A scope in one word, and back.
 *
 * @example scopeName({ kind: 'device', id: 'w1' }) // 'device:w1'
 */
export function scopeName({ kind, id }: Scope): string {
  return kind === 'fleet' ? kind : `${kind}:${id}`;
}

/**
 * The scope that {@link scopeName} names.
 *
 * @throws GatewayError 'not-allowed' if the text is none
 * @example parseScope('cohort:left') // { kind: 'cohort', id: 'left' }
 */
export function parseScope(text: string): Scope {
  if (text === 'fleet') return { kind: 'fleet', id: '' };
  const [, kind, id] = /^(cohort|device):(.+)$/.exec(text) ?? [];
  if (kind === undefined) {
    throw new GatewayError('not-allowed', `'${text}' is no scope`, {
      hint: 'fleet, cohort:NAME or device:ID',
    });
  }
  return { kind: kind as 'cohort' | 'device', id };
}

/** What a model came from. */
export interface Lineage {
  /** SHA-256 of what it was trained on, hex; see the store's `addSnapshot` */
  dataSnapshot: string;
  codeVersion: string;
  seed: number;
  /** rung of the ladder: 'pre', 'head', 'pseudo', 'layers' or 'whole' */
  rung: string;
}

/** Names a model version by its parts, its check and its origin. */
export interface Manifest {
  task: string;
  /** SHA-256 of the task, hex */
  taskHash: string;
  parts: Record<PartName, PartRef>;
  /** logits that every kernel must give for `count` windows made from `seed` */
  golden: { seed: number; count: number; outputs: Int8Array };
  scope: Scope;
  /** version it began from, hex; null for a first one */
  parent: string | null;
  lineage: Lineage;
  /** what it needs of a board, by name: bytes, ms, µJ */
  budgets: Record<string, number>;
}

/** Version of the manifest's own layout; below 24, so that it is the canonical bytes' second. */
const schema = 2;
const codec = new Encoder({ useRecords: false, tagUint8Array: false });
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

/** Plain values as CBOR, the same bytes for the same values. */
export function canonical(value: unknown): Uint8Array {
  return new Uint8Array(codec.encode(value));
}

/**
 * The canonical bytes of a manifest: a CBOR array, fields in fixed order.
 *
 * The release number is not among them. It says when a gateway sent a model, not what the model is:
 * the same version goes out under a new number when a rollout is undone, and two gateways may number
 * it differently. Origin is among them: equal parts from other data are another version.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { task, taskHash, parts, golden, scope, parent, lineage, budgets } = manifest;
  const { outputs } = golden;
  return canonical([
    ...[schema, task, bytes(taskHash)],
    partNames.map((name) => [bytes(parts[name].sha256), parts[name].length, parts[name].crc32]),
    [golden.seed, golden.count, new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.length)],
    [scope.kind, scope.id],
    parent === null ? null : bytes(parent),
    [bytes(lineage.dataSnapshot), lineage.codeVersion, lineage.seed, lineage.rung],
    Object.entries(budgets).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

type Fields = [
  number,
  string,
  Uint8Array,
  [Uint8Array, number, number][],
  [number, number, Uint8Array],
  [Scope['kind'], string],
  Uint8Array | null,
  [Uint8Array, string, number, string],
  [string, number][],
];

/**
 * Refuses a manifest of a Whetstone that laid out models in another way.
 *
 * @param encoded canonical bytes whose hash was checked
 * @throws GatewayError 'store' if its layout is another
 */
export function checkLayout(encoded: Uint8Array): void {
  const layout = encoded[1] ?? 0;
  if (layout === schema) return;
  const [age, hint] =
    layout < schema
      ? ['an older', 'they cannot be taken over: begin in another --data-dir']
      : ['a newer', 'use the Whetstone that wrote it, or a newer one'];
  throw new GatewayError('store', `the store's models are of ${age} Whetstone`, { hint });
}

/**
 * Reads canonical bytes back. Only bytes whose hash was checked are given to it.
 *
 * @throws TypeError if they are no manifest of this layout; see {@link checkLayout}
 */
export function decodeManifest(encoded: Uint8Array): Manifest {
  const fields: unknown = codec.decode(encoded);
  if (!Array.isArray(fields) || fields[0] !== schema) throw new TypeError('no manifest');
  const [, task, taskHash, parts, golden, scope, parent, lineage, budgets] = fields as Fields;
  return {
    task,
    taskHash: hex(taskHash),
    parts: Object.fromEntries(
      parts.map(([id, length, crc32], i) => [partNames[i], { sha256: hex(id), length, crc32 }]),
    ) as Record<PartName, PartRef>,
    golden: { seed: golden[0], count: golden[1], outputs: Int8Array.from(golden[2]) },
    scope: { kind: scope[0], id: scope[1] },
    parent: parent && hex(parent),
    lineage: {
      ...{ dataSnapshot: hex(lineage[0]), codeVersion: lineage[1] },
      ...{ seed: lineage[2], rung: lineage[3] },
    },
    budgets: Object.fromEntries(budgets),
  };
}

/** The version of a manifest: SHA-256 of its canonical bytes, hex. */
export function versionOf(manifest: Manifest): string {
  return sha256(encodeManifest(manifest));
}

/**
 * What of a hash travels to a device: its first 8 bytes.
 *
 * @example shortId('00ff102030405060aabb') // new Uint8Array([0, 255, 16, 32, 48, 64, 80, 96])
 */
export function shortId(hash: string): Uint8Array {
  return bytes(hash.slice(0, 16));
}
