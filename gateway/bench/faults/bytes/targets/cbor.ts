import { type Decoded, decode, encode, readRest, refuse } from '../../../../../device/core/cbor.ts';
import { unpack } from '../../../../../device/core/messages.ts';
import { composeMessage, parseMessage } from '../../../../link/messages.ts';
import { cborMutators } from '../forms.ts';
import type { MakeTarget } from '../target.ts';
import { goodPayloads } from './payloads.ts';

/**
 * The decoders of both ends, on payloads as they come out of frames: what is taken is of the table's
 * types, and the same value written again is read as the same.
 */
export const cbor: MakeTarget = async () => ({
  corpus: goodPayloads(),
  mutators: cborMutators(1),
  take: (payload) => {
    const known = parseMessage(payload);
    const fields = unpack(payload);
    if (known !== undefined) {
      const again = parseMessage(composeMessage(known.name, known.body as never));
      if (text(again?.body) !== text(known.body))
        throw new Error('a message is not read as written');
    }
    if (fields !== undefined && text(reread(fields)) !== text(fields)) {
      throw new Error('fields are not read as written');
    }
    const whole = decode(payload, { at: 0, shape: '', rest: readRest });
    if (whole !== undefined && text(reread(whole)) !== text(whole)) {
      throw new Error('a value is not read as written');
    }
    decode(payload, { at: 0, shape: '', rest: refuse });
    return known === undefined && fields === undefined ? 'refused' : 'taken';
  },
});

function reread(value: Decoded): Decoded | undefined {
  return decode(encode(value), { at: 0, shape: '', rest: readRest });
}

/** A value in full, bytes included. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner instanceof Uint8Array ? `bytes ${[...inner]}` : Object.is(inner, -0) ? '-0' : inner,
  );
}
