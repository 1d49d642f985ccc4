import { Builder, type Offset } from 'flatbuffers';

/** A field's value, with its kind in the schema. */
export type Value =
  | ['int8' | 'int32' | 'uint32' | 'float32', number]
  | ['bool', boolean]
  | ['text', string]
  | ['table', Fields]
  | ['tables', Fields[]]
  | ['int32s' | 'int64s', readonly number[]]
  | ['float32s', Float32Array]
  | ['bytes', Uint8Array];

/** Values by number of their field. */
export type Fields = Record<number, Value>;

/** Where byte vectors begin: the schema's force_align of Buffer.data. */
const ALIGNMENT = 16;

/**
 * Writes tables as a FlatBuffers file.
 *
 * @param root fields of the root table
 * @param identifier four characters behind the root's offset
 * @returns the file; the same tables give the same bytes
 */
export function writeFlat(root: Fields, identifier: string): Uint8Array {
  const builder = new Builder(1024);
  builder.finish(writeTable(builder, root), identifier);
  return builder.asUint8Array().slice();
}

function writeTable(builder: Builder, fields: Fields): Offset {
  // what a table points at is written before it
  const entries = Object.entries(fields).map(([field, value]) => {
    return [Number(field), value, reference(builder, value)] as const;
  });
  builder.startObject(Math.max(0, ...entries.map(([field]) => field + 1)));
  for (const [field, [kind, value], offset] of entries) {
    if (offset !== undefined) builder.addFieldOffset(field, offset, 0);
    else if (kind === 'int8') builder.addFieldInt8(field, value, 0);
    else if (kind === 'bool') builder.addFieldInt8(field, value ? 1 : 0, 0);
    else if (kind === 'float32') builder.addFieldFloat32(field, value, 0);
    else builder.addFieldInt32(field, value as number, 0);
  }
  return builder.endObject();
}

function reference(builder: Builder, [kind, value]: Value): Offset | undefined {
  switch (kind) {
    case 'text':
      return builder.createString(value);
    case 'table':
      return writeTable(builder, value);
    case 'tables': {
      const offsets = value.map((fields) => writeTable(builder, fields));
      return vector(builder, 4, offsets, (offset) => builder.addOffset(offset));
    }
    case 'int32s':
      return vector(builder, 4, value, (n) => builder.addInt32(n));
    case 'int64s':
      return vector(builder, 8, value, (n) => builder.addInt64(BigInt(n)));
    case 'float32s':
      return vector(builder, 4, value, (n) => builder.addFloat32(n));
    case 'bytes':
      return vector(builder, 1, value, (n) => builder.addInt8(n), ALIGNMENT);
    default:
      return undefined;
  }
}

function vector(
  builder: Builder,
  each: number,
  values: ArrayLike<number>,
  add: (value: number) => void,
  alignment = each,
): Offset {
  builder.startVector(each, values.length, alignment);
  for (let i = values.length - 1; i >= 0; i--) add(values[i]!);
  return builder.endVector();
}
