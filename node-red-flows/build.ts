// Builds the palette into dist/: each node as one CommonJS file beside its page, help, icon and words.
//
//   node node-red-flows/build.ts

import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;

/** Builds the palette into `dist`, which is made anew; Node-RED loads the nodes from there. */
export async function buildPalette(): Promise<void> {
  const out = join(here, 'dist');
  const made = `${out}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  await build({
    entryPoints: globSync('src/nodes/*.ts', { cwd: here }).map((file) => join(here, file)),
    ...{ outdir: made, bundle: true, platform: 'node', target: 'node18', format: 'cjs' },
    // the one dependency: npm installs it with the palette
    external: ['ws'],
    logLevel: 'warning',
  });
  for (const file of globSync('src/nodes/*.html', { cwd: here })) {
    cpSync(join(here, file), join(made, basename(file)));
  }
  for (const folder of ['locales', 'icons']) {
    cpSync(join(here, 'src', folder), join(made, folder), { recursive: true });
  }
  cpSync(join(here, '../LICENSE'), join(made, 'LICENSE'));
  // the sources are modules; Node-RED 4 requires CommonJS
  writeFileSync(join(made, 'package.json'), '{ "type": "commonjs" }\n');
  takePlace(made, out);
}

/** Puts a folder in the place of another at once: a Node-RED may be reading there. */
function takePlace(made: string, out: string): void {
  const old = `${made}.old`;
  if (existsSync(out)) renameSync(out, old);
  try {
    renameSync(made, out);
  } catch (error) {
    // another build was faster, of the same sources
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    rmSync(made, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

if (import.meta.main) await buildPalette();
