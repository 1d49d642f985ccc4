import { GatewayError } from '../../errors.ts';

/**
 * One table of a FlatBuffers file. Fields are named by their number in the schema; an absent field
 * gives its default. Every offset and length is checked against the file, so that nothing outside it
 * is read and nothing larger than it is made.
 */
export interface Table {
  int8(field: number, absent?: number): number;
  int32(field: number, absent?: number): number;
  uint32(field: number): number;
  uint64(field: number): number;
  float32(field: number, absent?: number): number;
  bool(field: number): boolean;
  has(field: number): boolean;
  text(field: number): string;
  table(field: number): Table | undefined;
  tables(field: number): Table[];
  /** @param most longer lists are refused */
  int32s(field: number, most?: number): number[];
  float32s(field: number): Float32Array;
  /** those beyond 2^53 lose digits */
  int64s(field: number): number[];
  /** a view of the file */
  bytes(field: number): Uint8Array | undefined;
}

/** Entries that a vector of a table of this format may have: no microcontroller's model has more. */
const MOST_ENTRIES = 65536;

/** The failure of a file whose insides do not hold together. */
export function damaged(what: string): GatewayError {
  return new GatewayError('bad-model', `the model file is damaged: ${what}`, {
    hint: 'fetch or convert it again',
  });
}

/**
 * Opens the root table of a FlatBuffers file.
 *
 * @param bytes the whole file
 * @throws GatewayError 'bad-model' if an offset or a length, here or in a later call, leaves the file
 * @source FlatBuffers, 'FlatBuffer Internals': tables, vtables, vectors
 */
export function rootTable(bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return tableAt(view, follow(view, 0));
}

function within(view: DataView, at: number, length: number): number {
  if (at < 0 || at + length > view.byteLength) throw damaged('an offset leads out of it');
  return at;
}

/** Where the offset that is stored at a place leads; always forwards, so nothing runs in circles. */
function follow(view: DataView, at: number): number {
  const offset = view.getUint32(within(view, at, 4), true);
  if (offset === 0) throw damaged('an offset leads to itself');
  return within(view, at + offset, 4);
}

function tableAt(view: DataView, start: number): Table {
  const vtable = within(view, start - view.getInt32(within(view, start, 4), true), 4);
  const fields = (view.getUint16(vtable, true) - 4) / 2;
  const size = view.getUint16(vtable + 2, true);
  within(view, vtable, 4 + 2 * fields);

  /** Place of a field of so many bytes; undefined where it is absent. */
  function place(field: number, bytes: number): number | undefined {
    if (field >= fields) return undefined;
    const offset = view.getUint16(within(view, vtable + 4 + 2 * field, 2), true);
    if (offset === 0) return undefined;
    if (offset + bytes > size) throw damaged('a field lies outside its table');
    return within(view, start + offset, bytes);
  }

  function vector(field: number, each: number, most = MOST_ENTRIES): [at: number, n: number] {
    const at = place(field, 4);
    if (at === undefined) return [0, 0];
    const start = follow(view, at);
    const n = view.getUint32(start, true);
    if (n > most) throw damaged(`a list of ${n} entries`);
    within(view, start + 4, n * each);
    return [start + 4, n];
  }

  function list<T>(field: number, each: number, read: (at: number) => T, most?: number): T[] {
    const [at, n] = vector(field, each, most);
    return Array.from({ length: n }, (_, i) => read(at + i * each));
  }

  const scalar =
    (bytes: number, read: (at: number) => number) =>
    (field: number, absent = 0): number => {
      const at = place(field, bytes);
      return at === undefined ? absent : read(at);
    };

  return {
    int8: scalar(1, (at) => view.getInt8(at)),
    int32: scalar(4, (at) => view.getInt32(at, true)),
    uint32: scalar(4, (at) => view.getUint32(at, true)),
    uint64: scalar(8, (at) => Number(view.getBigUint64(at, true))),
    float32: scalar(4, (at) => view.getFloat32(at, true)),
    bool: (field) => scalar(1, (at) => view.getUint8(at))(field) !== 0,
    has: (field) => place(field, 1) !== undefined,
    text(field) {
      const [at, n] = vector(field, 1);
      return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, n));
    },
    table(field) {
      const at = place(field, 4);
      return at === undefined ? undefined : tableAt(view, follow(view, at));
    },
    tables: (field) => list(field, 4, (at) => tableAt(view, follow(view, at))),
    int32s: (field, most) => list(field, 4, (at) => view.getInt32(at, true), most),
    float32s: (field) => Float32Array.from(list(field, 4, (at) => view.getFloat32(at, true))),
    int64s: (field) => list(field, 8, (at) => Number(view.getBigInt64(at, true))),
    bytes(field) {
      const at = place(field, 4);
      if (at === undefined) return undefined;
      const [start, n] = vector(field, 1, view.byteLength);
      return new Uint8Array(view.buffer, view.byteOffset + start, n);
    },
  };
}
