import { Writable } from 'node:stream';
import { run } from '../../../gateway/cli/main.ts';

/** What a command line did. */
export interface Outcome {
  status: number;
  out: string;
  err: string;
}

/** A stream that keeps what is written to it. */
export function capture(isTTY = false): Writable & { text: string; isTTY: boolean } {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      (stream as unknown as { text: string }).text += String(chunk);
      done();
    },
  });
  return Object.assign(stream, { text: '', isTTY });
}

/** Runs a command line in this process. */
export async function whetstone(...args: string[]): Promise<Outcome> {
  const out = capture();
  const err = capture();
  const status = await run(args, { out, err, status: 0 });
  return { status, out: out.text, err: err.text };
}
