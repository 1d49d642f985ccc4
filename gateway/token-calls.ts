import type { Role } from './roles.ts';
import type { AddedToken, TokenView } from './views/token.ts';

/** What can be asked of a gateway about who may ask it: a part of its calls, see `calls.ts`. */
export interface TokenCalls {
  /** Every token, oldest first, those included that count no more. */
  tokens(): Promise<TokenView[]>;
  /**
   * Makes a token; it is told once.
   *
   * @param by who asks for it, for the log
   * @throws GatewayError 'not-allowed' if a token of that name counts already
   */
  addToken(request: NewToken, by?: string): Promise<AddedToken>;
  /**
   * Ends a token, and every sign-in with it.
   *
   * @throws GatewayError 'not-found'
   */
  revokeToken(id: string, by?: string): Promise<TokenView>;
}

export interface NewToken {
  /** whose it is: a person, a program */
  name: string;
  role: Role;
  /** how long it counts; for ever without */
  days?: number;
}
