import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';

/**
 * Bundles a small program over device/core as it would reach a board: one script, minified.
 *
 * @param program TypeScript; imports are relative to device/core
 */
export async function coreScript(program: string): Promise<string> {
  const result = await build({
    stdin: {
      contents: program,
      loader: 'ts',
      resolveDir: fileURLToPath(new URL('../../device/core', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2015',
  });
  // Espruino hoists nothing: a function that terser inlines leaves its `var`s behind the `return`,
  // and an assignment to them then overwrites an outer name.
  const compress = { inline: 1, reduce_funcs: false };
  const { code } = await minify(result.outputFiles[0].text, { toplevel: true, compress });
  return code!;
}
