import type { LabelRow } from './label-rows.ts';
import type { AskView, ImportedLabels, LabelView, SourceView, TeachView } from './views/label.ts';

/** What can be asked of a gateway about labels: a part of its calls, see `calls.ts`. */
export interface LabelCalls {
  labels(query?: LabelQuery): Promise<LabelView[]>;
  /**
   * Attaches a class to a stored sample; it may come long after the sample.
   *
   * @throws GatewayError 'not-found' (no sample of that name), 'not-allowed' (no such class or source)
   */
  addLabel(label: NewLabel, by?: string): Promise<LabelView>;
  /**
   * Takes labels of a window back: they are kept, and count no more.
   *
   * @throws GatewayError 'not-found' if there are none
   */
  withdrawLabel(request: WithdrawRequest, by?: string): Promise<LabelView>;
  /** Labels in bulk; what cannot be placed is told line by line, the others are stored together. */
  importLabels(request: ImportLabelsRequest, by?: string): Promise<ImportedLabels>;
  /** How each source of labels fares. */
  labelSources(): Promise<SourceView[]>;
  /**
   * Chooses the windows whose labels teach most, and asks their devices for the raw samples.
   *
   * @throws GatewayError 'not-found' if there is no device in the scope
   */
  askLabels(request: AskRequest, by?: string): Promise<AskView>;
  /**
   * Lets a model file label stored raw windows.
   *
   * @throws GatewayError 'bad-model' if it does not fit the task; 'missing-tool' if what runs it is
   *   not installed
   */
  teach(request: TeachRequest, by?: string): Promise<TeachView>;
  /**
   * Releases a window that the check set aside: it counts again.
   *
   * @param sample 'DEVICE/SESSION:SEQ'
   * @throws GatewayError 'not-found' if no such window is set aside
   */
  release(sample: string, by?: string): Promise<LabelView>;
}

export interface LabelQuery {
  device?: string;
  /** windows that have no label yet, instead of those that have one */
  unlabelled?: boolean;
  /** windows that the check set aside, labelled or not */
  quarantined?: boolean;
  /** windows that sources name differently */
  contradicted?: boolean;
  /** windows whose label was asked for and has not come */
  asked?: boolean;
  limit?: number;
}

export interface NewLabel {
  /** 'DEVICE/SESSION:SEQ', a sample's identity */
  sample: string;
  cls: string;
  /** default 'person'; 'must-pass' pins the window: no later release may get it wrong */
  source?: string;
  /** 0 to 1; default the task's for the source */
  trust?: number;
}

export interface WithdrawRequest {
  sample: string;
  /** default: of every source */
  source?: string;
}

export interface ImportLabelsRequest {
  rows: LabelRow[];
  /** of rows that name none; default 'delayed' */
  source?: string;
  /** how far the nearest window may be from a row's time, ms; default 2000 */
  withinMs?: number;
  /** only say what would become of them */
  dryRun?: boolean;
}

export interface AskRequest {
  /** budget of labels */
  count: number;
  /** 'fleet' (the default), 'cohort:NAME' or 'device:ID' */
  scope?: string;
}

export interface TeachRequest {
  /** the model file, base64 */
  file: string;
  name: string;
  /** as a task's `labels.teachers` has them */
  minConfidence?: number;
  scale?: number;
  layout?: 'samples' | 'axes';
  classes?: string[];
  /** of one device; default all */
  device?: string;
  /** newest raw windows; default 1000 */
  limit?: number;
  dryRun?: boolean;
}

export type { LabelRow };
