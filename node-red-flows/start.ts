// A Node-RED with the palette and the example flows, against a running gateway.
//
//   npm run node-red -- [--gateway URL] [--port 1880] [--user-dir .whetstone/node-red]

import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPalette } from './build.ts';
import { prepareUserDir } from './user-dir.ts';

const here = import.meta.dirname;

interface FlowNode {
  id: string;
  type: string;
  url?: string;
}

/**
 * The example flows as one: what they share is there once.
 *
 * @param url of the gateway that they speak to
 */
export function exampleFlows(url: string): FlowNode[] {
  const nodes = globSync('examples/*.json', { cwd: here })
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(join(here, file), 'utf8')) as FlowNode[]);
  const once = new Map(nodes.map((node) => [node.id, node]));
  return [...once.values()].map((node) =>
    node.type === 'whetstone-gateway' ? { ...node, url } : node,
  );
}

/** Where the gateway of `.whetstone` is asked, which it writes there while it runs; else the default. */
function gatewayHere(): string {
  try {
    const { url } = JSON.parse(readFileSync('.whetstone/gateway.json', 'utf8')) as FlowNode;
    if (url !== undefined) return url;
  } catch {
    // none runs there
  }
  return 'http://127.0.0.1:7380';
}

/** Says what is wrong and what mends it, and ends. */
function fail(message: string): never {
  console.error(`whetstone: ${message}`);
  process.exit(1);
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: {
      gateway: { type: 'string', default: gatewayHere() },
      port: { type: 'string', default: '1880' },
      'user-dir': { type: 'string', default: '.whetstone/node-red' },
    },
  });
  const { gateway } = values;
  const answer = await fetch(`${gateway}/healthz`).catch(() => undefined);
  if (answer === undefined) {
    fail(
      `no gateway answers at ${gateway} (start one: npm start; or name it: npm run node-red -- --gateway URL)`,
    );
  }
  let program: string;
  try {
    program = createRequire(import.meta.url).resolve('node-red/red.js');
  } catch {
    fail('Node-RED is not installed (it comes with the tools of the tests: node setup.js --test)');
  }
  await buildPalette();
  const dir = resolve(values['user-dir']);
  const port = Number(values.port);
  const settings = prepareUserDir({ dir, port, flows: exampleFlows(gateway) });
  const child = spawn(process.execPath, [program, '--settings', settings, '--userDir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
    const running = /Server now running at (\S+?)\/?\s/.exec(log);
    if (running === null) return;
    log = '';
    console.log(`Node-RED: ${running[1]}  its dashboard: ${running[1]}/dashboard/whetstone`);
    console.log(`flows and settings: ${dir}  gateway: ${gateway}  stop with Ctrl-C`);
    child.stdout.removeAllListeners('data').pipe(process.stdout);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => {
    if (log !== '') console.error(log);
    process.exit(code ?? 0);
  });
}

if (import.meta.main) await start();
