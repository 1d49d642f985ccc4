import Type, { type Static } from 'typebox';
import { count, orNull, text, time, timeOrNull, version } from './schema.ts';

/** A version on its way to its devices. */
export const RolloutView = Type.Object({
  id: Type.String(),
  version,
  previous: orNull(Type.String(), 'the champion before; null for a first model'),
  scope: Type.String(),
  stage: Type.String(),
  startedAt: time('when it began'),
  endedAt: timeOrNull('null while it goes on'),
  reason: orNull(Type.String(), 'one sentence: why it stands where it stands'),
  devices: Type.Array(
    Type.Object({
      id: Type.String(),
      state: Type.String(),
      wireBytes: count('bytes that it cost on the wire'),
      reason: text("why it is refused, failed or on its way back; '' otherwise"),
    }),
  ),
});
export type RolloutView = Static<typeof RolloutView>;

/** A rollout in few bytes: its first twelve devices, those that need a look before the others. */
export const RolloutSummary = Type.Object({
  ...RolloutView.properties,
  total: Type.Object(
    { devices: count('all'), done: count('that need nothing more'), wireBytes: count('of all') },
    { description: 'of all its devices; /api/rollouts/ID lists them' },
  ),
});
export type RolloutSummary = Static<typeof RolloutSummary>;
