import Type, { type Static } from 'typebox';
import { EstimatedView, MeasuredView } from './device.ts';
import { count, oneOf, orNull, text, time, timeOrNull } from './schema.ts';

/** How well the devices of a scope do. */
export const QualityView = Type.Object({
  scope: Type.String(),
  devices: Type.Array(Type.String()),
  measured: orNull(MeasuredView, 'null without labels'),
  estimated: orNull(EstimatedView, 'null before there are enough windows'),
  classes: Type.Array(
    Type.Object({
      cls: Type.String(),
      recall: orNull(Type.Number(), 'null where no labelled window was of the class'),
      precision: orNull(Type.Number(), 'null where no labelled window was said to be it'),
      truths: count('labelled windows of the class'),
      saids: count('windows said to be it'),
    }),
  ),
  calibrationError: orNull(
    Type.Number(),
    'expected calibration error of the score as a confidence; null without labels',
  ),
  reliability: Type.Array(
    Type.Object({
      confidence: Type.Number(),
      accuracy: Type.Number(),
      windows: Type.Integer(),
    }),
  ),
  witnesses: Type.Array(
    Type.Object({
      device: Type.String(),
      evidence: Type.Enum(['drifted', 'steady', 'unknown']),
      sensor: Type.Enum(['well', 'sick']),
      missing: Type.Number(),
    }),
    { description: 'of each device: what needs no label says, and how its sensor is' },
  ),
});
export type QualityView = Static<typeof QualityView>;

/** One cause: a device, or the fleet or a cohort where it is all over them. */
export const AlarmView = Type.Object({
  subject: Type.String(),
  devices: Type.Array(Type.String()),
  what: oneOf(['score', 'features', 'classes', 'accuracy', 'sensor'], 'the kind of alarm'),
  since: time('when it began'),
  at: time('when it was seen'),
  lastAt: time('when a watcher last spoke of it'),
  count: count('how often watchers spoke'),
  also: Type.Array(Type.String(), { description: 'which others did' }),
  message: Type.String(),
  where: Type.Array(Type.String(), {
    description: 'features, classes or axes that it is about',
  }),
  before: Type.Number(),
  after: Type.Number(),
  windows: Type.Integer(),
  evidence: Type.Number({
    description:
      'capital won by betting on a change (score, classes), else probability that it was chance',
  }),
  release: Type.Integer(),
  silencedUntil: timeOrNull('null where nobody silenced it'),
});
export type AlarmView = Static<typeof AlarmView>;

/** Who does not want to hear of something. */
export const SilenceView = Type.Object({
  subject: text("a device, 'cohort:NAME' or 'fleet'"),
  what: orNull(Type.String(), 'a kind of alarm; null for every kind'),
  at: time('since when'),
  until: time('until when'),
});
export type SilenceView = Static<typeof SilenceView>;

export const AlarmsView = Type.Object({
  alarms: Type.Array(AlarmView),
  silences: Type.Array(SilenceView),
});
export type AlarmsView = Static<typeof AlarmsView>;

export const UnsilencedView = Type.Object({ ended: count('silences that ended') });
export type UnsilencedView = Static<typeof UnsilencedView>;
