/** Remembers what a fake was asked: name of the call, then what came with it. */
export type Note = (...what: unknown[]) => void;
