import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { ADMIN_TOKEN } from '../admin-token.ts';
import type { Remote } from '../api/ask.ts';
import { remoteCalls } from '../api/client.ts';
import type { Calls } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { readNamed } from '../named-file.ts';
import { DATA_DIR, readRunFile } from '../run-file.ts';
import { type Io, sayJson } from './io.ts';

/** Options of every verb that speaks to a running gateway. */
export interface RemoteOptions {
  gateway?: string;
  /** the name of `--gateway` before */
  url?: string;
  tokenFile?: string;
  ca?: string;
  dataDir?: string;
  json?: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:7380';

/** Adds `--json`, and what says which gateway is meant and what it is shown. */
export function speaksToGateway(command: Command): Command {
  return command
    .option('--json', 'print one JSON object')
    .option('--gateway <url>', `the running gateway (default: that of --data-dir, ${DEFAULT_URL})`)
    .option('--token-file <file>', 'with the token to show (default: WHETSTONE_TOKEN)')
    .option('--ca <file>', "PEM of who signed the gateway's certificate")
    .option(
      '--data-dir <dir>',
      `where the gateway on this machine has its data (default: ${DATA_DIR})`,
    )
    .addOption(new Option('--url <url>').hideHelp());
}

/**
 * Which gateway is meant, and what it is shown: the token of `--token-file`, else of the environment;
 * to the gateway of this machine's data directory also its admin token, if it wants one.
 *
 * @throws GatewayError 'bad-file' if a file that was named cannot be read, or holds no token; 'bad-config' if the
 *   gateway's URL is none
 */
export function remoteOf(
  options: RemoteOptions,
  env: Record<string, string | undefined> = process.env,
): Remote {
  const { tokenFile, ca, dataDir = DATA_DIR } = options;
  const named = options.gateway ?? options.url;
  const running = named === undefined ? readRunFile(dataDir) : undefined;
  const token = tokenOf(tokenFile, env);
  return {
    url: named === undefined ? (running?.url ?? DEFAULT_URL) : addressOf(named),
    ...(token !== undefined && { token }),
    // a stranger is never shown it: only who said here where it is
    ...(running !== undefined && { spareToken: spareToken(dataDir) }),
    ...(ca !== undefined
      ? { ca: readNamed(ca).toString('utf8') }
      : running?.cert && { pinned: running.cert }),
  };
}

/** Without what a browser's address has behind it. */
function addressOf(named: string): string {
  const url = URL.parse(named);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    return url.origin + url.pathname.replace(/\/+$/, '');
  }
  throw new GatewayError('bad-config', `'${named}' is no URL of a gateway`, {
    hint: `such as --gateway ${DEFAULT_URL}`,
  });
}

function tokenOf(
  file: string | undefined,
  env: Record<string, string | undefined>,
): string | undefined {
  const text = file === undefined ? env.WHETSTONE_TOKEN : readNamed(file).toString('utf8');
  const token = text?.trim();
  if (token === undefined || (token === '' && file === undefined)) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new GatewayError('bad-file', `${file ?? 'WHETSTONE_TOKEN'} holds no token`, {
    hint: 'a token is one word; make one: whetstone tokens add NAME --role viewer --out FILE',
  });
}

function spareToken(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, ADMIN_TOKEN), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What a next command has to be given as well to mean the same gateway: empty, or begins with a space. */
export function sameGateway({ gateway, url, tokenFile, ca, dataDir }: RemoteOptions): string {
  const given: [string, string | undefined][] = [
    ['--data-dir', dataDir],
    ['--gateway', gateway ?? url],
    ['--token-file', tokenFile],
    ['--ca', ca],
  ];
  return given.map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${value}`)).join('');
}

/** What a verb does with a running gateway: asks, then prints the answer as it was asked to. */
export async function tell<T extends object>(
  io: Io,
  options: RemoteOptions,
  ask: (calls: Calls) => Promise<T>,
  print: (answer: T) => void,
): Promise<void> {
  const answer = await ask(remoteCalls(remoteOf(options)));
  if (options.json) sayJson(io, answer);
  else print(answer);
}
