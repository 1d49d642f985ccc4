import { type Answers, answersOf } from './answers.ts';
import type { Composed } from './compose.ts';
import { membersOf } from './dataset.ts';
import { GatewayError } from './errors.ts';
import type { HistoryCalls } from './history-calls.ts';
import { parseScope } from './registry/manifest.ts';
import type { EventKind } from './store/event-kinds.ts';
import type { HistoryRange } from './store/history.ts';
import type { StoredEvent } from './store/journal.ts';
import type { HistoryMark, HistoryPoint } from './views/history.ts';

/** Parts of the time unless others are wanted, and marks at most. */
const POINTS = 200;
const MARKS = 1000;
/** What is marked for a scope of several devices; of one device, what became of its own update. */
const SHARED: EventKind[] = ['rollout.started', 'rollout.rolledback', 'alarm.group'];
const OWN: EventKind[] = ['rollout.device'];
const ALL: EventKind[] = ['alarm.raised', 'alarm.explained', 'alarm.ended', 'label.imported'];

/**
 * Answers what people and programs ask about what was.
 *
 * @param gateway composed
 */
export function historyService({ store, task, clock }: Composed): HistoryCalls {
  const within = reach(answersOf(task));

  function marksOf(range: HistoryRange, isOne: boolean): HistoryMark[] {
    const { from, stepMs, parts } = range;
    const devices = new Set(range.devices);
    const kinds = [...ALL, ...(isOne ? OWN : SHARED)];
    const marks = store.history
      .events(kinds, from, from + parts * stepMs, MARKS)
      .flatMap((event) => (concerns(event, devices, range.isAll) ? (markOf(event) ?? []) : []));
    const labels = store.history
      .tally('label.added', range)
      .filter(({ subject }) => devices.has(subject))
      .map(({ at, subject, count }): HistoryMark => {
        const text = count === 1 ? '1 label' : `${count} labels`;
        return { at, kind: 'labels', subject, text, version: null };
      });
    return [...marks, ...labels].sort((a, b) => a.at - b.at).slice(-MARKS);
  }

  return {
    async history({ scope = 'fleet', from, to = clock.now(), points = POINTS } = {}) {
      const of = parseScope(scope);
      const isAll = of.kind === 'fleet';
      const devices = membersOf(store, task.name, of);
      if (!isAll && !devices.some((id) => store.devices.get(id) !== undefined)) {
        throw new GatewayError('not-found', `no device in scope '${scope}'`, {
          hint: 'see: whetstone devices',
        });
      }
      const begin = Math.min(from ?? store.history.begins({ devices, isAll }) ?? to - 1, to - 1);
      const stepMs = Math.max(1, Math.ceil((to - begin) / points));
      const range = {
        devices,
        isAll,
        from: begin,
        stepMs,
        parts: Math.ceil((to - begin) / stepMs),
      };
      return store.look(() => ({
        points: store.history.parts(range, within).map(({ right, ...part }, i): HistoryPoint => {
          return {
            ...{ ...part, at: begin + i * stepMs },
            accuracy: part.labels === 0 ? null : right / part.labels,
            score: task.kind === 'regression' ? null : part.score,
          };
        }),
        marks: marksOf(range, of.kind === 'device'),
      }));
    },
  };
}

/** How far an answer may be from the truth and still be right. */
function reach(answers: Pick<Answers, 'count' | 'isRight'>): number {
  let most = 0;
  while (most + 1 < answers.count && answers.isRight(0, most + 1)) most++;
  return most;
}

/** Whether an event is about these devices. */
function concerns(
  { kind, subject, data }: StoredEvent,
  devices: Set<string>,
  isAll: boolean,
): boolean {
  if (isAll || kind === 'label.imported') return isAll;
  if (kind === 'alarm.group') return (data.devices as string[]).some((id) => devices.has(id));
  if (kind === 'rollout.started') return (data.devices as string[]).some((id) => devices.has(id));
  if (kind === 'rollout.rolledback') return isOf(data.scope as string, devices);
  return devices.has(subject);
}

const isOf = (scope: string, devices: Set<string>): boolean =>
  !scope.startsWith('device:') || devices.has(scope.slice('device:'.length));

/** What an event is in a drawing; undefined for what is drawn as nothing. */
function markOf({ at, kind, subject, data }: StoredEvent): HistoryMark | undefined {
  const mark = (what: HistoryMark['kind'], text: string): HistoryMark => {
    return { at, kind: what, subject, text, version: (data.version as string) ?? null };
  };
  const short = String(data.version ?? '').slice(0, 8);
  const why = data.reason ? `: ${data.reason}` : '';
  switch (kind) {
    case 'alarm.raised':
    case 'alarm.explained':
      return mark('alarm', String(data.message ?? data.what));
    case 'alarm.group':
      return mark('alarm', `${data.what}: ${(data.devices as string[]).length} devices`);
    case 'alarm.ended':
      return mark('alarm-ended', `${data.what ?? 'alarm'} is over${why}`);
    case 'rollout.started':
      return mark('update', `${short} for ${data.scope}`);
    case 'rollout.rolledback':
      return mark('rollback', `${short} is undone${why}`);
    case 'label.imported':
      return mark('labels', `${data.added} labels of ${subject}`);
    default:
      if (data.stage === 'trial') return mark('update', `${short} runs on trial`);
      if (data.stage !== 'failed' && data.stage !== 'back') return undefined;
      return mark('rollback', `${short} is off again${why}`);
  }
}
