import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { GatewayError } from './errors.ts';
import { readNamedJson } from './named-file.ts';
import { checkKind, fillKind } from './task-kind.ts';
import { type LayerSpec, type Task, TaskSchema } from './task-schema.ts';

export type { LayerSpec, Task } from './task-schema.ts';

const folder = join(import.meta.dirname, '..', 'hardware', 'tasks');
const check = new Ajv2020({ useDefaults: true, discriminator: true, verbose: true }).compile(
  TaskSchema,
);

/** Names of the tasks that come with the project, sorted. */
export function taskNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

/**
 * Reads and checks a task, with its defaults filled in.
 *
 * @param nameOrPath name of a task in `hardware/tasks`, or the path of a file (with `/` or `.json`)
 * @returns the task, complete
 * @throws GatewayError 'bad-task' if the name is unknown, the file unreadable or a field wrong
 * @example loadTask('gesture').classes.length // 6
 */
export function loadTask(nameOrPath: string): Task {
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith('.json');
  if (!isPath && !taskNames().includes(nameOrPath)) {
    throw new GatewayError('bad-task', `no task named '${nameOrPath}'`, {
      hint: `there are: ${taskNames().join(', ')}; or name a file: ./my-task.json`,
    });
  }
  const path = isPath ? nameOrPath : join(folder, `${nameOrPath}.json`);
  return parseTask(readNamedJson(path, { what: 'task file', code: 'bad-task' }), path);
}

/**
 * Checks a task that was read from anywhere and fills in its defaults.
 *
 * @param value parsed JSON; not changed
 * @param name what to call it in an error, a path
 * @returns the task, complete
 * @throws GatewayError 'bad-task' that names the field and what is expected there
 */
export function parseTask(value: unknown, name = 'task'): Task {
  const refuse = (path: string, problem: string): never => {
    throw new GatewayError('bad-task', `${name}: ${path} ${problem}`);
  };
  if (isDeep(value)) refuse('the task', `is nested deeper than ${MOST_DEPTH} levels`);
  const copy: unknown = structuredClone(value);
  fillKind(copy, refuse);
  if (!check(copy)) {
    const [path, problem] = explain(check.errors?.[0] as ErrorObject);
    return refuse(path, problem);
  }
  checkKind(copy as Task, refuse);
  crossCheck(copy as Task, refuse);
  return copy as Task;
}

/** Far more than a task needs, far less than what overflows the stack of whoever follows it. */
const MOST_DEPTH = 32;

function isDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth < MOST_DEPTH; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

/** What no schema can say: fields that must agree with one another. */
function crossCheck(task: Task, refuse: (path: string, problem: string) => never): void {
  const { layers, cut, deeper } = task.architecture;
  checkNet('architecture.layers', layers, task, refuse);
  if (deeper !== undefined) checkNet('architecture.deeper', deeper, task, refuse);
  if (cut >= layers.length) refuse('architecture.cut', `must be less than ${layers.length} layers`);
  if (task.sensor.min >= task.sensor.max) refuse('sensor.min', 'must be less than sensor.max');
  if (task.window.minSamples > task.window.samples) {
    refuse('window.minSamples', `must be at most window.samples, ${task.window.samples}`);
  }
  if (task.window.mode === 'sliding' && task.window.stride === undefined) {
    refuse('window.stride', "is missing: mode 'sliding' needs it");
  }
  checkArray(task, refuse);
  const known = [...task.classes, ...task.recordings.ignore];
  for (const [from, to] of Object.entries(task.recordings.spellings)) {
    if (!known.includes(to)) {
      refuse(`recordings.spellings.${from}`, `must be one of ${known.join(', ')}, is '${to}'`);
    }
  }
  for (const label of task.recordings.ignore) {
    if (task.classes.includes(label)) refuse('recordings.ignore', `names the class '${label}'`);
  }
}

/** A measurement of an array becomes one sample of levels and ratios. */
function checkArray(
  { recordings: { format, array }, sensor: { axes }, window: { samples } }: Task,
  refuse: (path: string, problem: string) => never,
): void {
  if ((format === 'libsvm') !== (array !== undefined)) {
    refuse('recordings.array', "goes with recordings.format 'libsvm', and with no other");
  }
  if (array === undefined) return;
  const needed = 2 * array.sensors * array.kinds.length;
  if (axes.length !== needed) {
    refuse('sensor.axes', `must be ${needed}: levels and ratios of recordings.array`);
  }
  if (samples !== 1) refuse('window.samples', "must be 1 with recordings.format 'libsvm'");
  const full = array.kinds.findIndex((kind) => kind.full === 0);
  if (full >= 0) refuse(`recordings.array.kinds[${full}].full`, 'must not be 0');
}

/** A net must end in the classes, and convolve only what still has an order in time. */
function checkNet(
  path: string,
  layers: LayerSpec[],
  task: Task,
  refuse: (path: string, problem: string) => never,
): void {
  const end = layers.length - 1;
  const last = layers[end];
  const classes = task.classes.length;
  if (last.type !== 'dense' || last.units !== classes || last.activation !== 'none') {
    const many = task.kind === 'regression' ? '1 unit' : `${classes} units (one a class)`;
    const problem = `must be dense with ${many} and activation 'none'`;
    refuse(`${path}[${end}]`, problem);
  }
  let flat = task.features !== 'raw';
  layers.forEach((layer, i) => {
    const left = layer.type === 'dense' ? layer.units : layer.type === 'conv1d' ? layer.filters : 0;
    if ('prunedFrom' in layer && layer.prunedFrom !== undefined) {
      const where = `${path}[${i}].prunedFrom`;
      if (i === end) refuse(where, 'has no place in the last layer: every class stays');
      if (layer.prunedFrom < left) refuse(where, `must be at least the ${left} that are left`);
    }
    if (layer.type === 'dense') flat = true;
    else if (flat) {
      const where = task.features === 'raw' ? 'before every dense layer' : "with features 'raw'";
      refuse(`${path}[${i}]`, `${layer.type} can only stand ${where}`);
    }
  });
}

/** An error of ajv as [path, problem]: `sensor.rateHz`, `must be number, is "fast"`. */
function explain(error: ErrorObject): [string, string] {
  const path = dotted(error.instancePath);
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  const params = error.params as Record<string, unknown>;
  const is = `, is ${shorten(error.data)}`;
  const known = Object.keys((error.parentSchema as { properties?: object })?.properties ?? {});
  const where = path === '' ? 'the task' : path;
  switch (error.keyword) {
    case 'additionalProperties':
      return [
        inside(String(params.additionalProperty)),
        `is not a field here; fields: ${known.join(', ')}`,
      ];
    case 'required':
      return [inside(String(params.missingProperty)), 'is missing'];
    case 'enum':
      return [where, `must be one of ${(params.allowedValues as string[]).join(', ')}${is}`];
    case 'pattern': {
      // a person reads what a field is sooner than a pattern
      const { description } = error.parentSchema as { description?: string };
      return [
        where,
        `${description === undefined ? error.message : `is ${description}`}${is.replace(/^, is/, '; not')}`,
      ];
    }
    case 'discriminator':
      return [inside('type'), 'must be one of dense, conv1d, maxpool1d, avgpool1d'];
    default:
      return [where, `${error.message}${is}`];
  }
}

function dotted(pointer: string): string {
  let out = '';
  for (const key of pointer.split('/').slice(1)) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(name)) out += `[${name}]`;
    else out += out === '' ? name : `.${name}`;
  }
  return out;
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
