import type { Value } from '../../../../../device/core/cbor.ts';
import { MESSAGES, pack } from '../../../../../device/core/messages.ts';
import { tinyModel } from '../../tiny-model.ts';

const BYTES = Uint8Array.from({ length: 40 }, (_, i) => (7 * i) % 256);

/** A field of each type. */
const FIELDS: Record<string, Value> = {
  ...{ i: 300, I: null, t: 'gesture', b: BYTES, B: BYTES },
  p: tinyModel(2).offer[2],
};

/** A good payload of every message of the table. */
export function goodPayloads(): Uint8Array[] {
  return MESSAGES.map(({ code, fields }) => {
    const types: string[] = Object.values(fields);
    return pack(
      code,
      types.map((type) => FIELDS[type]!),
    );
  });
}
