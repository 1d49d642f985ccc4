import type { Random } from '../../../random.ts';
import { EDGES, type Mutator, noise, pick, replaced } from './mutate.ts';

/*
 * Mutators that know a form: they change a length, an offset or a type where it stands, so that what
 * lies behind it is still read.
 */

/** An item of CBOR: its head, and where it ends. */
interface Item {
  at: number;
  headBytes: number;
  end: number;
}

/** Items of a well-formed beginning, nested ones included. */
function cborItems(bytes: Uint8Array, from: number): Item[] {
  const items: Item[] = [];
  const walk = (at: number, depth: number): number => {
    const first = bytes[at];
    if (first === undefined || depth > 8) return Infinity;
    const info = first % 32;
    const size = info < 24 ? 0 : 2 ** (info - 24);
    if (info > 27) return Infinity;
    let n = info;
    if (size > 0) {
      n = 0;
      for (let k = 1; k <= size; k++) n = n * 256 + (bytes[at + k] ?? 0);
    }
    const item: Item = { at, headBytes: 1 + size, end: at + 1 + size };
    items.push(item);
    const major = Math.floor(first / 32);
    if (major === 2 || major === 3) item.end += n;
    else if (major === 4 || major === 5) {
      for (let k = 0; k < n * (major - 3) && item.end < bytes.length; k++) {
        item.end = walk(item.end, depth + 1);
      }
    } else if (major === 6) item.end = walk(item.end, depth + 1);
    return item.end;
  };
  walk(from, 0);
  return items.filter(({ end }) => end <= bytes.length);
}

/** Any head of CBOR: types, lengths and sizes that do not go together. */
function cborHead(random: Random): Uint8Array {
  const info = random.integer(32);
  const size = info < 24 || info > 27 ? 0 : 2 ** (info - 24);
  const rest = random.integer(2) === 0 ? noise(random, size) : new Uint8Array(size).fill(255);
  return Uint8Array.from([random.integer(8) * 32 + info, ...rest]);
}

/** @param from where the CBOR begins: behind the code of a message */
export function cborMutators(from: number): Mutator[] {
  const atItem =
    (change: (bytes: Uint8Array, item: Item, random: Random) => Uint8Array): Mutator =>
    (bytes, random) => {
      const items = cborItems(bytes, from);
      return items.length === 0 ? bytes : change(bytes, pick(random, items), random);
    };
  return [
    atItem((bytes, item, random) => replaced(bytes, item.at, item.headBytes, cborHead(random))),
    atItem((bytes, item, random) => {
      const head = Uint8Array.from([bytes[item.at]! + random.integer(3) - 1]);
      return replaced(bytes, item.at, 1, head);
    }),
    atItem((bytes, item) => replaced(bytes, item.at, item.end - item.at)),
    atItem((bytes, item) => replaced(bytes, item.at, 0, bytes.slice(item.at, item.end))),
    atItem((bytes, item, random) => {
      const other = pick(random, cborItems(bytes, from));
      return replaced(bytes, item.at, item.end - item.at, bytes.slice(other.at, other.end));
    }),
    atItem((bytes, item, random) => {
      const depth = 1 + random.integer(random.integer(8) === 0 ? 3000 : 6);
      return replaced(bytes, item.at, 0, new Uint8Array(depth).fill(0x81));
    }),
  ];
}

/** Positions where an offset of a FlatBuffer seems to lie. */
function offsetsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  for (let at = 0; at + 4 <= bytes.length && found.length < 4096; at += 4) {
    const value = view.getUint32(at, true);
    if (value > 3 && at + value + 4 <= bytes.length) found.push(at);
  }
  return found;
}

/** Tables of a FlatBuffer: positions whose vtable is where they say. */
function tablesOf(bytes: Uint8Array): { at: number; vtable: number; entries: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { at: number; vtable: number; entries: number }[] = [];
  for (let at = 4; at + 4 <= bytes.length && found.length < 1024; at += 4) {
    const vtable = at - view.getInt32(at, true);
    if (vtable < 4 || vtable + 4 > bytes.length || vtable % 2 !== 0) continue;
    const [size, table] = [view.getUint16(vtable, true), view.getUint16(vtable + 2, true)];
    const fits = size >= 4 && size % 2 === 0 && size < 80 && vtable + size <= bytes.length;
    if (fits && table >= 4 && table < 256) found.push({ at, vtable, entries: size / 2 - 2 });
  }
  return found;
}

const remembered = new WeakMap<Uint8Array, ReturnType<typeof tablesOf>>();

function set32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at < 0 || at + 4 > bytes.length) return bytes;
  const out = bytes.slice();
  new DataView(out.buffer).setUint32(at, value, true);
  return out;
}

function set16(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at < 0 || at + 2 > bytes.length) return bytes;
  const out = bytes.slice();
  new DataView(out.buffer).setUint16(at, value, true);
  return out;
}

/** Mutators of FlatBuffers: offsets, vectors' lengths, vtables and the fields of tables. */
export const flatbufferMutators: readonly Mutator[] = [
  (bytes, random) => {
    const offsets = offsetsOf(bytes);
    if (offsets.length === 0) return bytes;
    const at = pick(random, offsets);
    const wild = [0, 4, -at, bytes.length - at, bytes.length - at - 1, bytes.length - at - 4];
    const target = random.integer(2) === 0 ? pick(random, offsets) - at : pick(random, wild);
    return set32(bytes, at, target);
  },
  (bytes, random) => {
    // a vector's or a string's length stands where an offset leads
    const offsets = offsetsOf(bytes);
    if (offsets.length === 0) return bytes;
    const at = pick(random, offsets);
    const to = at + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    const left = Math.floor((bytes.length - to) / pick(random, [1, 4, 8]));
    return set32(bytes, to, pick(random, [left, left + 1, left - 1, ...EDGES]));
  },
  (bytes, random) => {
    const tables = remembered.get(bytes) ?? tablesOf(bytes);
    remembered.set(bytes, tables);
    if (tables.length === 0) return bytes;
    const { at, vtable, entries } = pick(random, tables);
    const entry = vtable + 4 + 2 * random.integer(Math.max(1, entries));
    const changes = [
      () => set16(bytes, entry, pick(random, [0, 4, 6, 8, 12, 0xffff, 0x7fff])),
      () => set16(bytes, vtable, pick(random, [0, 4, 6, 8, 0xffff, 64])),
      () => set32(bytes, at, at - pick(random, tables).vtable),
      () => set32(bytes, at, pick(random, EDGES)),
      () => {
        const field = at + new DataView(bytes.buffer, bytes.byteOffset).getUint16(entry, true);
        return set32(bytes, field, pick(random, EDGES));
      },
    ];
    return pick(random, changes)();
  },
];

/** A field of a protobuf message: its tag, its payload, and where it ends. */
interface Field {
  at: number;
  wire: number;
  payload: number;
  end: number;
}

function varint(bytes: Uint8Array, at: number): [value: number, next: number] | undefined {
  let value = 0;
  for (let k = 0; k < 10; k++) {
    const byte = bytes[at + k];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 128 ** k;
    if (byte < 128) return [value, at + k + 1];
  }
  return undefined;
}

/** Fields of a protobuf message and of the messages in it, where they read as such. */
function fieldsOf(bytes: Uint8Array, from = 0, to = bytes.length, depth = 0): Field[] | undefined {
  const fields: Field[] = [];
  const inner: Field[] = [];
  for (let at = from; at < to; ) {
    const tag = varint(bytes, at);
    if (tag === undefined || tag[0] < 8) return undefined;
    const wire = tag[0] % 8;
    const size = wire === 2 || wire === 0 ? varint(bytes, tag[1]) : undefined;
    if ((wire === 2 || wire === 0) && size === undefined) return undefined;
    const payload = wire === 2 ? size![1] : tag[1];
    const length = wire === 0 ? size![1] - tag[1] : wire === 2 ? size![0] : wire === 5 ? 4 : 8;
    const known = wire === 0 || wire === 1 || wire === 2 || wire === 5;
    if (!known || payload + length > to) return undefined;
    fields.push({ at, wire, payload, end: payload + length });
    if (wire === 2 && depth < 6 && length < 4096) {
      inner.push(...(fieldsOf(bytes, payload, payload + length, depth + 1) ?? []));
    }
    at = payload + length;
  }
  return [...fields, ...inner];
}

function varintOf(value: number): Uint8Array {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push(128 + (value % 128));
  return Uint8Array.from([...out, value]);
}

const knownFields = new WeakMap<Uint8Array, Field[]>();

const atField =
  (change: (bytes: Uint8Array, field: Field, random: Random) => Uint8Array): Mutator =>
  (bytes, random) => {
    const fields = knownFields.get(bytes) ?? fieldsOf(bytes) ?? [];
    knownFields.set(bytes, fields);
    return fields.length === 0 ? bytes : change(bytes, pick(random, fields), random);
  };

/** Mutators of protobuf: tags, varints, lengths and whole fields. */
export const protobufMutators: readonly Mutator[] = [
  atField((bytes, { at, payload, end, wire }, random) => {
    if (wire === 0) {
      const value = random.integer(2) === 0 ? varintOf(pick(random, EDGES)) : noise(random, 10);
      return replaced(bytes, payload, end - payload, value);
    }
    const tag = varint(bytes, at)!;
    const size = end - payload;
    const wrong = pick(random, [size + 1, Math.max(0, size - 1), 2 * size, ...EDGES]);
    return wire === 2 ? replaced(bytes, tag[1], payload - tag[1], varintOf(wrong)) : bytes;
  }),
  atField((bytes, { at }, random) => replaced(bytes, at, 1, varintOf(random.integer(512)))),
  atField((bytes, { at, end }) => replaced(bytes, at, end - at)),
  atField((bytes, { at, end }) => replaced(bytes, at, 0, bytes.slice(at, end))),
  atField((bytes, { payload }, random) => {
    const long = new Uint8Array(1 + random.integer(12)).fill(0x80);
    return replaced(bytes, payload, 0, long);
  }),
];
