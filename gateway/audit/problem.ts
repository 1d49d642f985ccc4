/** Something that is not as it was written or signed. */
export interface Problem {
  /** 'log' for the chain, 'head', 'key', 'model', 'release' or 'stage' */
  what: 'log' | 'head' | 'key' | 'model' | 'release' | 'stage';
  /** the first bad entry of the log, where it is about the log */
  entry: number | null;
  /** for people */
  why: string;
}
