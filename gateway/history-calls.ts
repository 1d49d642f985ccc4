import type { HistoryView } from './views/history.ts';
/** What can be asked of a gateway about what was: a part of its calls, see `calls.ts`. */
export interface HistoryCalls {
  /**
   * Accuracy, drift and what happened, over time, from the store: what one has seen stays the same
   * through restarts.
   *
   * @throws GatewayError 'not-found' if nobody is in the scope
   */
  history(query?: HistoryQuery): Promise<HistoryView>;
}

export interface HistoryQuery {
  /** 'fleet' (the default), 'cohort:NAME' or 'device:ID' */
  scope?: string;
  /** ms since 1970; default the first window of the scope */
  from?: number;
  /** ms since 1970, exclusive; default now */
  to?: number;
  /** parts that the time is cut into; default 200 */
  points?: number;
}
