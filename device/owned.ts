import { SourceMap, type SourceMapPayload } from 'node:module';
import { type MinifyOptions, minify } from 'terser';

/** A script that knows of each of its characters which module it came from. */
export interface Owned {
  text: string;
  /** a module's path for each character */
  owners: string[];
}

/** What of a text is replaced by what. */
export type Edit = [start: number, end: number, text: string];

/**
 * Carries out edits.
 *
 * @param edits in order, none within another; what they add is of the module that stands there
 */
export function edited(code: Owned, edits: readonly Edit[]): Owned {
  let text = '';
  const owners: string[] = [];
  let at = 0;
  for (const [start, end, added] of [...edits, [code.text.length, 0, ''] as Edit]) {
    text += code.text.slice(at, start) + added;
    const here = code.owners[Math.min(start, code.text.length - 1)]!;
    for (; at < start; at++) owners.push(code.owners[at]!);
    for (let k = 0; k < added.length; k++) owners.push(here);
    at = end;
  }
  return { text, owners };
}

/** Minifies with what holds for every step. */
export async function minified(code: Owned, options: MinifyOptions): Promise<Owned> {
  const { code: text, map } = await minify(code.text, {
    ecma: 2015,
    toplevel: true,
    compress: {
      ecma: 2015,
      passes: 4,
      inline: 1, // above that it leans on hoisting
      global_defs: { '@library': 'require' },
      toplevel: true,
      hoist_funs: false,
      keep_fargs: false,
      pure_getters: true,
      unsafe: true,
      unsafe_arrows: true,
    },
    format: { ecma: 2015, comments: false },
    sourceMap: true,
    ...options,
  });
  const source = new SourceMap(JSON.parse(map as string) as SourceMapPayload);
  const lines = [0];
  for (let at = 0; at < code.text.length; at++) if (code.text[at] === '\n') lines.push(at + 1);
  let last = code.owners[0]!;
  const owners = [...(text as string)].map((_, at) => {
    const entry = source.findEntry(0, at);
    if ('originalLine' in entry) {
      last = code.owners[lines[entry.originalLine]! + entry.originalColumn] ?? last;
    }
    return last;
  });
  return { text: text as string, owners };
}
