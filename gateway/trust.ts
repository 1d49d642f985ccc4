import { GatewayError } from './errors.ts';
import { kindOf, MUST_PASS } from './store/resolve.ts';
import type { Task } from './task.ts';

/** How a source is written: a kind, perhaps with a name; 'person:' would be somebody who is nobody. */
export const SOURCE = '^[^\\s:][^:]*(:\\s*\\S.*)?$';

/**
 * How far a source of labels is trusted, as the task says: by its name, else by its kind. A pin is
 * somebody's word at the gateway, and certain.
 *
 * @param task its `labels.trust`
 * @param source 'person', 'device', 'delayed', 'teacher', each perhaps with ':NAME'; or 'must-pass'
 * @returns 0 to 1
 * @throws GatewayError 'not-allowed' if nobody said how far it is to be trusted
 * @example trustOf({ labels: { trust: { person: 1, 'person:ann': 0.8 } } }, 'person:ann') // 0.8
 */
export function trustOf(task: { labels: Pick<Task['labels'], 'trust'> }, source: string): number {
  if (source === MUST_PASS) return 1;
  const trust: Record<string, number> = task.labels.trust;
  for (const name of [source, kindOf(source)]) if (Object.hasOwn(trust, name)) return trust[name]!;
  throw new GatewayError('not-allowed', `nobody said how far labels of '${source}' are trusted`, {
    hint: `there are: ${[...Object.keys(trust), MUST_PASS].join(', ')}, each perhaps with :NAME; or name it in the task, labels.trust`,
  });
}
