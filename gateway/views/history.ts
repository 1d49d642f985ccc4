import Type, { type Static } from 'typebox';
import { count, oneOf, orNull, text, time } from './schema.ts';

/** What came in one part of the time. Windows that the check set aside count for nothing. */
export const HistoryPoint = Type.Object({
  at: time('beginning of the part'),
  windows: count('that came'),
  labels: count(
    'labelled windows among them: what `accuracy` rests on. Labels may come much later than their windows',
  ),
  accuracy: orNull(
    Type.Number(),
    'share of the labelled windows that were said right; null without any',
  ),
  estimated: orNull(
    Type.Number(),
    'what scores let expect of the newest windows at that time, mean over devices; null where nothing was noted',
  ),
  score: orNull(
    Type.Number(),
    'mean score of the windows; null without any, and for a value, whose score is itself',
  ),
  drift: orNull(
    Type.Number(),
    'how near scores came to an alarm: 0 as always, 1 alarm; mean over devices; null where nothing was noted',
  ),
});
export type HistoryPoint = Static<typeof HistoryPoint>;

/** Something that happened at a moment. */
export const HistoryMark = Type.Object({
  at: time('when'),
  kind: oneOf(['alarm', 'alarm-ended', 'update', 'rollback', 'labels'], 'what happened'),
  subject: text('a device, a rollout, or where labels came from'),
  text: Type.String(),
  version: orNull(Type.String(), 'that it is about; null where it is about none'),
});
export type HistoryMark = Static<typeof HistoryMark>;

/** Accuracy, drift and what happened, over time. */
export const HistoryView = Type.Object({
  points: Type.Array(HistoryPoint, {
    description: 'one for each part of the time, also where nothing came; oldest first',
  }),
  marks: Type.Array(HistoryMark, { description: 'oldest first; the newest thousand' }),
});
export type HistoryView = Static<typeof HistoryView>;
