import type { SigningKeyView } from './views/key.ts';
/** What a person or a program can ask about the keys that sign; part of all calls. */
export interface SigningCalls {
  /** The keys that the gateway signs or signed with, oldest first; the last one signs. */
  signingKeys(): Promise<SigningKeyView[]>;
  /** Lets a new key take over. @returns all keys */
  rotateSigning(by?: string): Promise<SigningKeyView[]>;
  /**
   * Trusts a key no more, nor what it signed.
   *
   * @throws GatewayError 'not-found', or 'not-allowed' if it signs at present
   */
  revokeSigning(request: { id: string; reason: string }, by?: string): Promise<SigningKeyView[]>;
  /**
   * Signs a version again, with the newest key.
   *
   * @param request the version or its first digits, and why it is trusted
   * @throws GatewayError 'not-found'; 'bad-hash' if it is not what its name says
   */
  signVersion(
    request: { version: string; reason: string },
    by?: string,
  ): Promise<{ version: string; signer: string }>;
}
