import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { canonical } from '../registry/manifest.ts';
import type { Trust } from '../registry/trust.ts';
import type { HeadRow } from '../store/journal.ts';

/** Beside the store: the newest signed head of its log. */
export const HEAD_FILE = 'audit-head.json';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** The bytes that the signature of a head covers. */
export function headStatement(gateway: string, head: Omit<HeadRow, 'signer' | 'signature'>) {
  return canonical(['head', gateway, head.event, head.hash, head.at]);
}

/** What the signature of a head is worth. */
export function trustInHead(
  gateway: string,
  head: HeadRow,
  trust: (bytes: Uint8Array, signature: Uint8Array, signer: string) => Trust,
): Trust {
  return trust(headStatement(gateway, head), head.signature, head.signer);
}

/**
 * Puts the newest head beside the store, so that who cuts the log in the store alone is found out.
 *
 * @param path replaced as a whole
 */
export function writeHead(path: string, { event, hash, at, signer, signature }: HeadRow): void {
  const text = JSON.stringify({
    ...{ event, hash: hex(hash), at, signer, signature: hex(signature) },
  });
  writeFileSync(`${path}.part`, `${text}\n`, { flush: true });
  renameSync(`${path}.part`, path);
}

/** @returns the head in a file; undefined where there is none, null for what is no head */
export function readHead(path: string): HeadRow | undefined | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const { event, hash, at, signer, signature } = JSON.parse(text) as Record<string, unknown>;
    const isHead =
      Number.isSafeInteger(event) &&
      Number.isSafeInteger(at) &&
      [hash, signer, signature].every((field) => typeof field === 'string');
    if (!isHead) return null;
    return {
      ...{ event: event as number, hash: bytes(hash as string), at: at as number },
      ...{ signer: signer as string, signature: bytes(signature as string) },
    };
  } catch {
    return null;
  }
}
