import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError } from 'commander';

/** Where a command writes: results to standard output, everything else to standard error. */
export interface Io {
  out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  err: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  /** exit status; a command sets it when its result is bad news */
  status: number;
}

/** Writes one line of a result. */
export function say(io: Io, line: string): void {
  io.out.write(`${line}\n`);
}

/** Writes the one JSON object of `--json`. */
export function sayJson(io: Io, value: object): void {
  say(io, JSON.stringify(value, null, io.out.isTTY ? 2 : 0));
}

/**
 * Rows as a table of aligned columns; columns of numbers to the right.
 *
 * @example table(['name', 'n'], [['a', '10']]) // 'name   n\na     10'
 */
export function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const width = head.map((_, k) => Math.max(...all.map((row) => row[k].length)));
  const isNumber = head.map((_, k) => rows.length > 0 && rows.every((row) => numeric(row[k])));
  return all
    .map((row) =>
      row
        .map((cell, k) => (isNumber[k] ? cell.padStart(width[k]) : cell.padEnd(width[k])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const numeric = (cell: string) => /^(-|[-+]?[\d.,]+( ?%)?)$/.test(cell);

/** A share with two digits, or a dash. */
export function share(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}

/** A moment for people, in local time, or a dash. */
export function moment(at: number | null): string {
  if (at === null) return '-';
  const date = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A word as a shell takes it, quoted where it has to be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Text in a colour where standard output is a terminal that wants colours. */
export function colour(io: Io, name: 'red' | 'green' | 'dim', text: string): string {
  if (!io.out.isTTY || process.env.NO_COLOR) return text;
  return styleText(name, text, { validateStream: false });
}

/**
 * An option's integer.
 *
 * @param least smallest that is allowed
 * @param most largest that is allowed
 * @returns a parser for commander; it refuses what is no such integer
 */
export function integer(least: number, most?: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER))) {
      const range = most === undefined ? `${least}` : `${least} to ${most}`;
      throw new InvalidArgumentError(`It takes an integer from ${range}.`);
    }
    return value;
  };
}

/** Ends a verb as misused, in one line, where what it was given is no scope. */
export function checkScope(verb: Command, scope: string): void {
  if (/^(fleet|cohort:.+|device:.+)$/.test(scope)) return;
  verb.error(`whetstone: no scope '${scope}': it is fleet, cohort:NAME or device:ID`);
}

/** Progress of long work. */
export interface Progress {
  /** @param done 0 to 1; @param what is going on, a few words */
  update(done: number, what: string): void;
  stop(): void;
}

/** A bar on standard error; plain lines, one for each tenth, where that is no terminal. */
export function progress(io: Io): Progress {
  if (!io.err.isTTY) {
    let told = -1;
    return {
      update(done, what) {
        const tenth = Math.floor(done * 10);
        if (tenth <= told) return;
        told = tenth;
        io.err.write(`${tenth * 10} % ${what}\n`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar({
    stream: io.err,
    format: '{bar} {percentage} % {what}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    barsize: 24,
  });
  bar.start(1, 0, { what: '' });
  return {
    update: (done, what) => bar.update(Math.min(1, done), { what }),
    stop: () => bar.stop(),
  };
}
