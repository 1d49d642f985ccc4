import Type, { type Static } from 'typebox';
import { DeviceSummary } from './device.ts';
import { RolloutSummary } from './rollout.ts';
import { count, orNull, text, time, timeOrNull } from './schema.ts';

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One thing that happened; the log is append-only. */
export const GatewayEvent = Type.Object({
  id: count('counted on'),
  at: time('when it happened'),
  kind: Type.String(),
  subject: text('what it happened to: a device, a version, a rollout'),
  data: Type.Unsafe<{ [key: string]: Json }>({
    ...{ type: 'object', additionalProperties: true, description: 'what is told of it, by kind' },
  }),
});
export type GatewayEvent = Static<typeof GatewayEvent>;

/** What is kept, and for how long. */
export const StoreView = Type.Object({
  bytes: count('of its file'),
  keyId: orNull(
    Type.String(),
    'fingerprint of the key that it is encrypted with; null where it is not',
  ),
  fullSince: timeOrNull('since when the disk takes nothing; null while it does'),
  retention: orNull(
    Type.Object({
      maxDays: orNull(Type.Number(), 'null for any age'),
      maxBytes: orNull(Type.Number(), 'null for any size'),
      removed: count('windows, in all'),
      removedAt: timeOrNull('when the last ones were'),
      crowdedSince: timeOrNull(
        'since when the store is too large although nothing is left that may be removed',
      ),
    }),
    'null where everything is kept',
  ),
});
export type StoreView = Static<typeof StoreView>;

const Wanted = Type.Object({
  scope: Type.String(),
  why: Type.Array(Type.String(), { description: "'alarm', 'labels', 'time', 'hand'" }),
});

/** What is trained, and what is to be. */
export const TrainingView = Type.Object({
  running: orNull(Wanted, 'null while nothing is trained'),
  queue: Type.Array(Wanted, { description: 'in the order in which they are to be trained' }),
  waiting: orNull(
    Type.Object({
      scope: Type.String(),
      since: time('when it began to wait'),
      sentence: text("'waits: cpu-thermal 84 °C, starts below 75 °C'"),
    }),
    'what the first of the queue waits for',
  ),
  dueAt: timeOrNull('when time is a reason again'),
});
export type TrainingView = Static<typeof TrainingView>;

/** The gateway at a glance. */
export const Status = Type.Object({
  sentence: text("one sentence for people: '4 virtual watches, synthetic motion'"),
  synthetic: Type.Boolean({ description: 'no real sensor is behind the figures' }),
  task: Type.String(),
  classes: Type.Array(Type.String()),
  startedAt: time('when the gateway started'),
  at: time('now'),
  devices: Type.Array(DeviceSummary),
  rollouts: Type.Array(RolloutSummary, {
    description: 'those that go on, and the newest of the others, the newest last',
  }),
  training: TrainingView,
  store: StoreView,
  lastEvent: count('id of the newest event, where a reader of events goes on'),
});
export type Status = Static<typeof Status>;
