import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const NAME = '@whetstone/node-red-flows';

/** How a user folder of Node-RED is made. */
export interface UserDir {
  /** the folder; made where it is not there */
  dir: string;
  /** of the editor; 0 for any free one */
  port: number;
  /** what is deployed at the first start: nodes */
  flows: object[];
  /** whether the palette of this clone is linked in; default it is */
  link?: boolean;
}

/**
 * Makes a user folder for Node-RED: on this machine only, with the palette linked in, not copied. Flows
 * and the secret of the credentials stay what they are where there are some.
 *
 * @param options where, and what goes in
 * @returns its settings file
 */
export function prepareUserDir({ dir, port, flows, link = true }: UserDir): string {
  mkdirSync(dir, { recursive: true });
  if (link) linkPalette(dir);
  const flowFile = join(dir, 'flows.json');
  if (!existsSync(flowFile)) writeFileSync(flowFile, JSON.stringify(flows, null, 2));
  const settings = {
    ...{ uiHost: '127.0.0.1', uiPort: port, flowFile: 'flows.json', userDir: dir },
    credentialSecret: secretOf(join(dir, 'credential-secret')),
    // the nodes remember the last event: with this over a restart, too
    contextStorage: { default: { module: 'localfilesystem' } },
    fileWorkingDirectory: dir,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false } },
  };
  const file = join(dir, 'settings.js');
  writeFileSync(file, `module.exports = ${JSON.stringify(settings, null, 2)};\n`, { mode: 0o600 });
  return file;
}

function linkPalette(dir: string): void {
  const palette = join(dir, 'node_modules', NAME);
  mkdirSync(dirname(palette), { recursive: true });
  rmSync(palette, { force: true, recursive: true });
  symlinkSync(here, palette, 'dir');
  // what else was installed there stays; the palette manager leaves a link alone that is named here
  const file = join(dir, 'package.json');
  const manifest = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const dependencies = { ...manifest.dependencies, [NAME]: `file:${here}` };
  const all = { name: 'node-red-project', private: true, ...manifest, dependencies };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}

function secretOf(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
