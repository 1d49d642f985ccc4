import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../gateway/main.ts';
import { prepareUserDir } from '../../node-red-flows/user-dir.ts';
import { temporary } from '../support/loop-world.ts';
import * as n from './node-red.ts';

const palette = join(import.meta.dirname, '../../node-red-flows');
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    ...{ cwd, encoding: 'utf8' },
    // npm test runs this with its own settings in the environment
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });

describe('npm pack of the palette', () => {
  it('installs into an empty Node-RED, and works', async () => {
    const folder = temporary();
    const [packed] = JSON.parse(npm(palette, 'pack', '--json', '--pack-destination', folder)) as [
      { filename: string; files: { path: string }[] },
    ];
    const files = packed.files.map(({ path }) => path);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'dist/whetstone-infer.js']));
    expect(files.filter((path) => /(^|\/)(src|node_modules)\/|\.ts$/.test(path))).toEqual([]);

    const user = join(folder, 'user');
    const settings = prepareUserDir({ dir: user, port: 0, flows: [], link: false });
    // what it needs comes as a file, too: no registry is asked, and a dependency more would fail here
    const ws = join(import.meta.dirname, '../../node_modules/ws');
    const [needed] = JSON.parse(npm(folder, 'pack', ws, '--json')) as [{ filename: string }];
    const tarballs = [needed, packed].map(({ filename }) => join(folder, filename));
    npm(user, 'install', '--offline', ...tarballs);
    const installed = join(user, 'node_modules/@whetstone/node-red-flows');
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))).toMatchObject({
      ...{ name: '@whetstone/node-red-flows', keywords: expect.arrayContaining(['node-red']) },
    });
    const [gateway, red] = await Promise.all([
      startGateway({ virtual: 1, port: 0, dataDir: join(folder, 'data') }),
      n.startNodeRed({ dir: user, settings }),
    ]);
    try {
      const sets = (await (
        await fetch(`${red.url}/nodes`, { headers: { accept: 'application/json' } })
      ).json()) as { module: string; types: string[]; err?: string }[];
      const mine = sets.filter(({ module }) => module === '@whetstone/node-red-flows');
      expect(mine.flatMap(({ types }) => types).sort()).toEqual(
        readdirSync(join(palette, 'src/nodes'))
          .filter((file) => file.endsWith('.ts'))
          .map((file) => file.replace('.ts', '')),
      );
      expect(mine.filter(({ err }) => err !== undefined)).toEqual([]);
      await red.deploy([
        ...[n.tab, n.gatewayAt(gateway.url), n.debug('seen')],
        n.whetstone('windows', 'predictions', [['seen']]),
      ]);
      const [first] = await red.until('seen', 1);
      expect(first.sample).toMatch(/^watch-1\/\d+:\d+$/);
    } finally {
      await red.close();
      await gateway.close();
    }
  });
});
