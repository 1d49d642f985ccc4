// Loaded before a gateway by `node --import`: its wall clock is that of the computer plus as many ms as
// stand in a file, as they stand there now. Timers do not notice, as with a clock that somebody sets.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const file = process.env.WHETSTONE_CLOCK_FILE ?? '';
const RealDate = Date;
const realNow = Date.now;
/** How long a reading of the file is used: readings of the clock are many. */
const FRESH_MS = 5;
let offset = 0;
let readAt = -Infinity;

function now(): number {
  const monotonic = performance.now();
  if (monotonic - readAt > FRESH_MS) {
    readAt = monotonic;
    offset = Number(readFileSync(file, 'utf8'));
  }
  return realNow() + offset;
}

if (file !== '') {
  globalThis.Date = class extends RealDate {
    constructor(...args: [] | [number]) {
      if (args.length === 0) super(now());
      else super(...args);
    }

    static override now(): number {
      return now();
    }
  } as DateConstructor;
}
