import Type, { type Static } from 'typebox';
import { byName, count, orNull, share, text, time } from './schema.ts';

/** A stored window and the label that counts; class, source and trust are null while it has none. */
export const LabelView = Type.Object({
  sample: text('DEVICE/SESSION:SEQ'),
  device: Type.String(),
  cls: orNull(Type.String(), 'the label'),
  predicted: orNull(Type.String(), 'what the device said when it saw the window'),
  source: orNull(Type.String(), 'where the label came from'),
  trust: orNull(Type.Number(), '0 to 1'),
  contradicted: Type.Array(
    Type.Object({
      cls: Type.String(),
      source: Type.String(),
      trust: share('of the source'),
      at: time('when it came'),
      standing: text('what became of it'),
    }),
    {
      description:
        'every label of a window that sources contradict one another about, as they came; else none',
    },
  ),
  asked: orNull(
    Type.Object({
      at: time('when it was asked for'),
      raw: text("where its raw samples are: 'here', 'held', 'gone'"),
    }),
    'null where its label was not asked for',
  ),
  quarantine: orNull(
    Type.String(),
    'why the check set it aside; null when it did not, or somebody released it',
  ),
  at: time('of the label, else of the window'),
});
export type LabelView = Static<typeof LabelView>;

/** How a source of labels fares. */
export const SourceView = Type.Object({
  source: Type.String(),
  trust: orNull(Type.Number(), "the task's; null for a source that it does not know any more"),
  windows: count('that it has a label for, withdrawn ones left out'),
  compared: count('of these, windows that another source names too'),
  overruled: count('of those, windows that count as another class than it says'),
  corrected: count('labels that it replaced by another class itself'),
  withdrawn: count('labels that were taken back'),
});
export type SourceView = Static<typeof SourceView>;

/** A line that gave no label, and why. */
export const RefusedRow = Type.Object({ line: Type.Integer(), reason: Type.String() });
export type RefusedRow = Static<typeof RefusedRow>;

/** What became of labels that came in bulk. */
export const ImportedLabels = Type.Object({
  added: count('new labels; of a dry run those that would be'),
  known: count('labels that were there already'),
  refused: Type.Array(RefusedRow),
  overruled: Type.Array(Type.String(), {
    description:
      'windows that count as another class than the lines say, for all that was labelled before',
  }),
});
export type ImportedLabels = Static<typeof ImportedLabels>;

/** Windows whose labels were asked for. */
export const AskView = Type.Object({
  asked: Type.Array(LabelView),
  candidates: count('unlabelled windows that could have been chosen'),
  outOfReach: count('unlabelled windows that no device holds raw any more'),
  missing: orNull(
    Type.String(),
    'why there are no more, and when to ask again, for people; null where there were as many as wanted',
  ),
});
export type AskView = Static<typeof AskView>;

/** What a teacher labelled. */
export const TeachView = Type.Object({
  teacher: Type.String(),
  runtime: Type.String(),
  seen: count('raw windows that it saw'),
  labelled: count('new labels; of a dry run those that would be'),
  unsure: count('windows of which it is not sure enough'),
  foreign: count('windows that it takes for something that is no class of the task'),
  perClass: byName(Type.Integer(), 'labelled windows of each class'),
  compared: count(
    'windows that people, buttons or a delayed truth label, among those that it is sure of',
  ),
  right: count('of these, how often it agrees'),
});
export type TeachView = Static<typeof TeachView>;
