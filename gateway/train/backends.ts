import util from 'node:util';
import { GatewayError } from '../errors.ts';
import { builtin } from './builtin.ts';
import { createTensorFlowBackend, type Tf } from './tfjs.ts';
import type { Backend } from './trainer.ts';

/** Loads a package by name; injected, so that the choice can be tested without the package. */
export type Importer = (name: string) => Promise<unknown>;

/** Whether a backend is there, and if not, why. */
export interface BackendStatus {
  name: string;
  loads: boolean;
  /** what it runs on ('cpu', 'tensorflow'), or why it does not load, one line */
  detail: string;
}

/** Best first: with native code, then without. */
const TENSORFLOW = ['@tensorflow/tfjs-node', '@tensorflow/tfjs'] as const;

const importPackage: Importer = (name) => import(name);

/**
 * The trainer to use: the built-in one, which has every layer that a task can name and is the
 * fastest on small nets, unless TensorFlow.js is asked for.
 *
 * @param wanted 'builtin', 'tensorflow' (the best that loads), or the name of one package
 * @param importer loads packages
 * @returns the backend
 * @throws GatewayError 'missing-tool' if what is wanted does not load
 */
export async function chooseBackend(
  wanted: 'builtin' | 'tensorflow' | (typeof TENSORFLOW)[number] = 'builtin',
  importer: Importer = importPackage,
): Promise<Backend> {
  if (wanted === 'builtin') return builtin;
  const names = wanted === 'tensorflow' ? TENSORFLOW : [wanted];
  const failures: string[] = [];
  for (const name of names) {
    const tried = await load(name, importer);
    if (typeof tried !== 'string') return createTensorFlowBackend(tried, name);
    failures.push(`${name}: ${tried}`);
  }
  throw new GatewayError('missing-tool', `TensorFlow.js does not load: ${failures.join('; ')}`, {
    hint: `npm install ${wanted === '@tensorflow/tfjs-node' ? wanted : '@tensorflow/tfjs'}`,
  });
}

/**
 * What this machine can train with.
 *
 * @param importer loads packages
 * @returns one status for each backend that there is
 */
export async function listBackends(importer: Importer = importPackage): Promise<BackendStatus[]> {
  const statuses: BackendStatus[] = [{ name: 'builtin', loads: true, detail: 'typed arrays' }];
  for (const name of TENSORFLOW) {
    const tried = await load(name, importer);
    if (typeof tried === 'string') statuses.push({ name, loads: false, detail: tried });
    else statuses.push({ name, loads: true, detail: tried.getBackend() });
  }
  return statuses;
}

async function load(name: string, importer: Importer): Promise<Tf | string> {
  restoreUtil();
  try {
    const loaded = (await importer(name)) as Tf & { default?: Tf };
    const tf = loaded.default ?? loaded;
    // its banner, and the checks of every number that it would do otherwise
    tf.enableProdMode();
    await tf.ready();
    return tf;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
    return isMissing ? 'not installed' : String(message ?? error).split('\n')[0];
  }
}

// tfjs-node calls a function that Node has since removed from its util
function restoreUtil(): void {
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
