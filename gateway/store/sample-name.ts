import type { SampleKey } from './types.ts';

/** Names a sample for good: what its sealed columns are bound to. */
export const sampleName = ({ device, session, seq }: SampleKey): string =>
  `${device}/${session}/${seq}`;

/**
 * A sample as people name it.
 *
 * @example sampleText({ device: 'watch-1', session: 81, seq: 17 }) // 'watch-1/81:17'
 */
export const sampleText = ({ device, session, seq }: SampleKey): string =>
  `${device}/${session}:${seq}`;
