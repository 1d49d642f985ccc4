import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { GatewayError } from '../errors.ts';

/**
 * Seals what must not be read by whoever takes the disk. In a store without a key it hands bytes
 * through as they are, so that callers need not know.
 *
 * A sealed value is bound to its place: what is copied to another row, column or table does not open.
 * `row` is what names the row for good (its key, not a position) and must be known before the insert.
 */
export interface Vault {
  /** first 16 hex digits of the key's fingerprint; null where nothing is sealed */
  readonly keyId: string | null;
  seal(table: string, row: string | number, column: string, bytes: Uint8Array): Uint8Array;
  /** @throws GatewayError 'damaged' if the bytes were altered, or sealed for another place */
  open(table: string, row: string | number, column: string, bytes: Uint8Array): Uint8Array;
}

/** The vault of a store without a key: bytes stay what they are. */
export const plainVault: Vault = {
  keyId: null,
  seal: (_table, _row, _column, bytes) => bytes,
  open: (_table, _row, _column, bytes) => bytes,
};

/** {@link Vault.seal} for a column of text: sealed it is base64. */
export function sealText(
  vault: Vault,
  ...[table, row, column, text]: [string, string, string, string]
): string {
  if (vault.keyId === null) return text;
  return Buffer.from(vault.seal(table, row, column, Buffer.from(text))).toString('base64');
}

/** {@link Vault.open} for a column of text. */
export function openText(
  vault: Vault,
  ...[table, row, column, text]: [string, string, string, string]
): string {
  if (vault.keyId === null) return text;
  return Buffer.from(vault.open(table, row, column, Buffer.from(text, 'base64'))).toString();
}

const DAY_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Bytes that a sealed value has more than a plain one. */
export const SEAL_BYTES = DAY_BYTES + NONCE_BYTES + TAG_BYTES;
/** A shortened tag is easier to forge, so none is taken. */
const whole = { authTagLength: TAG_BYTES };
const DAY_MS = 86_400_000;
const MOST_DAY = 2 ** 32 - 1;
const NONCES_DRAWN = 500;
/** Keys of days that are kept at hand. */
const DAYS_KEPT = 1000;

/**
 * AES-256-GCM with a random 96-bit nonce. Under one key such nonces are safe for 2³² values (a
 * collision is then less likely than 2⁻³²), so every day has a key of its own: the bound is 49,000
 * values a second, all day long, which no store of this kind can write. Nothing has to be counted, so
 * a crash, a restored backup or a clock set back repeats nothing.
 *
 * A value: day (4 bytes, big-endian, days since 1970), nonce (12), ciphertext, tag (16).
 *
 * @param key 32 bytes, from the key file
 * @param salt of this store: two stores under one key file share no key
 * @param keyId shown to people
 * @param now ms since 1970
 * @source NIST SP 800-38D, 8.3 (at most 2³² random nonces a key); RFC 5869 (HKDF)
 */
export function sealedVault(
  key: Uint8Array,
  salt: Uint8Array,
  keyId: string,
  now: () => number = Date.now,
): Vault {
  const days = new Map<number, KeyObject>();
  // random bytes are drawn for many values at once: the system is asked less often
  const drawn = Buffer.alloc(NONCE_BYTES * NONCES_DRAWN);
  let next = drawn.length;
  function keyOf(day: number): KeyObject {
    let found = days.get(day);
    if (found === undefined) {
      const derived = hkdfSync('sha256', key, salt, `whetstone store, day ${day}`, 32);
      found = createSecretKey(Buffer.from(derived));
      if (days.size >= DAYS_KEPT) days.clear();
      days.set(day, found);
    }
    return found;
  }

  return {
    keyId,
    seal(table, row, column, bytes) {
      const day = Math.min(Math.max(0, Math.floor(now() / DAY_MS)), MOST_DAY);
      const sealed = Buffer.allocUnsafe(SEAL_BYTES + bytes.length);
      sealed.writeUInt32BE(day, 0);
      const nonce = sealed.subarray(DAY_BYTES, DAY_BYTES + NONCE_BYTES);
      if (next === drawn.length) {
        randomFillSync(drawn);
        next = 0;
      }
      drawn.copy(nonce, 0, next, next + NONCE_BYTES);
      next += NONCE_BYTES;
      const cipher = createCipheriv('aes-256-gcm', keyOf(day), nonce, whole);
      cipher.setAAD(place(table, row, column));
      sealed.set(cipher.update(bytes), DAY_BYTES + NONCE_BYTES);
      cipher.final();
      sealed.set(cipher.getAuthTag(), sealed.length - TAG_BYTES);
      return sealed;
    },
    open(table, row, column, bytes) {
      try {
        const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        const nonce = sealed.subarray(DAY_BYTES, DAY_BYTES + NONCE_BYTES);
        const key = keyOf(sealed.readUInt32BE(0));
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, whole);
        decipher.setAAD(place(table, row, column));
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        const end = sealed.length - TAG_BYTES;
        const opened = decipher.update(sealed.subarray(DAY_BYTES + NONCE_BYTES, end));
        decipher.final();
        return opened;
      } catch (cause) {
        throw new GatewayError('damaged', `${table} ${row}: its ${column} was altered or moved`, {
          cause,
          hint: 'restore a backup: whetstone restore --help',
        });
      }
    },
  };
}

/** Names a place beyond doubt: tables and columns hold no zero, and the row comes last. */
function place(table: string, row: string | number, column: string): Buffer {
  return Buffer.from(`whetstone 1\0${table}\0${column}\0${row}`);
}
