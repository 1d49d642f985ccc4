import { membersOf } from './dataset.ts';
import { GatewayError } from './errors.ts';
import { parseScope, type Scope, scopeName } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';

/** Scopes of each kind that are named to who asked for another. */
const NAMED = 8;

/** Where scopes are looked up. */
interface ScopeParts {
  store: Store;
  registry: Registry;
  task: Pick<Task, 'name'>;
}

/** A scope that somebody is in, or that has a model of its own. */
export interface KnownScope {
  scope: Scope;
  /** that are in it and have said hello */
  devices: string[];
}

/**
 * The scope of a name that somebody gave.
 *
 * @param name 'fleet', 'cohort:NAME' or 'device:ID'
 * @throws GatewayError 'not-allowed' if it is no such name; 'not-found' if nobody is in that scope and no
 *   model was made for it: its hint names those that are known. The fleet is always known
 */
export function knownScope({ store, registry, task }: ScopeParts, name: string): KnownScope {
  const scope = parseScope(name);
  const devices = membersOf(store, task.name, scope).filter(
    (id) => store.devices.get(id)?.task === task.name,
  );
  const isKnown = scope.kind === 'fleet' || registry.champion(task.name, scope) !== undefined;
  if (devices.length > 0 || isKnown) return { scope, devices };
  const all = store.devices.list({ task: task.name });
  const cohorts = new Set(all.flatMap(({ cohort }) => (cohort === null ? [] : [cohort])));
  throw new GatewayError('not-found', `no device in scope '${name}'`, {
    hint: `known: ${[
      'fleet',
      ...some([...cohorts].map((id) => scopeName({ kind: 'cohort', id }))),
      ...some(all.map(({ id }) => scopeName({ kind: 'device', id }))),
    ].join(', ')}; see: whetstone devices`,
  });
}

/** A device that was asked for, and that nobody knows. */
export function noDevice(id: string): GatewayError {
  return new GatewayError('not-found', `no device '${id}'`, { hint: 'see: whetstone devices' });
}

/**
 * The devices of a scope that somebody named.
 *
 * @throws GatewayError as {@link knownScope}, and 'not-found' if no device at all is there
 */
export function devicesOf(parts: ScopeParts, name: string): KnownScope {
  const known = knownScope(parts, name);
  if (known.devices.length > 0) return known;
  throw new GatewayError('not-found', `no device of '${name}' has said hello yet`, {
    hint: 'try again once one has; see: whetstone devices, and whetstone doctor where none comes',
  });
}

function some(names: string[]): string[] {
  const more = names.length - NAMED;
  return more > 0 ? [...names.slice(0, NAMED), `… (${more} more)`] : names;
}
