/** What identifies a sample anywhere: nobody else can make the same three. */
export interface SampleKey {
  device: string;
  /** drawn by the device at boot */
  session: number;
  /** 1 for the first sample of a session */
  seq: number;
}

/** One window as a device reported it, on its way into the store. */
export interface NewSample extends SampleKey {
  task: string;
  /** gateway's clock, ms since 1970 */
  at: number;
  /** device's clock, ms since its boot */
  t: number;
  /** release that the device ran */
  release: number;
  /** version behind that release; null when the gateway never released it */
  version: string | null;
  /** class that the device predicted */
  cls: number;
  /** margin of that prediction, 0 to 255 */
  score: number;
  /** samples of the window that are real, the rest is padding */
  length: number;
  embedding: Int8Array | Uint8Array | null;
  /** length × axes raw values */
  window: Int8Array | Uint8Array | null;
  /** given on the device itself, with its button */
  label: number | null;
  /** how far that label is trusted, 0 to 1 */
  labelTrust?: number;
  /** why the check set it aside; null when it did not */
  quarantine: string | null;
}

/** What became of a sample: stored, it filled columns of one that was there, or it was a repeat. */
export type AddOutcome = 'new' | 'merged' | 'duplicate';

/** The label that counts for a sample, by the rule of `resolve`. */
export interface ResolvedLabel {
  cls: number;
  source: string;
  trust: number;
  at: number;
  /** when the sample got its first label, of whatever class: trained on since then, perhaps */
  firstAt: number;
  /** another label of the same sample names another class */
  contradicted: boolean;
}

/** A stored sample. */
export interface Sample extends Omit<NewSample, 'embedding' | 'window' | 'label' | 'labelTrust'> {
  /** local to this store; {@link SampleKey} is what travels */
  id: number;
  embedding: Int8Array | null;
  window: Int8Array | null;
  label: ResolvedLabel | null;
  /** when somebody released it from quarantine, ms since 1970 */
  releasedAt: number | null;
}

/** A sample that has its label: what training and the gate ask for. */
export type LabelledSample = Sample & { label: ResolvedLabel };

/** A label that arrives after its sample. */
export interface NewLabel {
  /** unique beyond this gateway; drawn when it is left out. What has a stored id changes nothing */
  id?: string;
  /** the store's id of the sample, or its key */
  sample: number | SampleKey;
  cls: number;
  /** 'device', 'person', 'delayed', 'teacher' …, or one of them by name: 'teacher:large' */
  source: string;
  /** 0 to 1; its weight where sources contradict one another */
  trust: number;
  /** ms since 1970 */
  at: number;
}

/** Which samples are meant. Everything that is left out does not restrict. */
export interface SampleFilter {
  task?: string;
  device?: string;
  devices?: readonly string[];
  release?: number;
  version?: string;
  /** gateway's clock, ms, inclusive */
  since?: number;
  /** gateway's clock, ms, exclusive */
  until?: number;
  /** samples after this id, for those who read on */
  afterId?: number;
  /** samples behind this one where the newest is first, for those who read on */
  before?: Pick<Sample, 'at' | 'id'>;
  labelled?: boolean;
  /** true: only those that another source names differently */
  contradicted?: boolean;
  /** true: only those that were asked for */
  asked?: boolean;
  /** true: only those set aside and not released; false: only those that are good */
  quarantined?: boolean;
  withEmbedding?: boolean;
  withWindow?: boolean;
  order?: 'oldest' | 'newest';
  limit?: number;
}

/** A device as the gateway knows it. */
export interface Device {
  id: string;
  board: string;
  task: string;
  tier: string;
  cohort: string | null;
  firstSeen: number;
  lastSeen: number;
  session: number;
  release: number;
  version: string | null;
  /** 0 empty, 1 confirmed, 2 trial: as in its hello */
  state: number;
}

/** One stretch of time in which a device ran a release. */
export interface Assignment {
  device: string;
  release: number;
  version: string | null;
  from: number;
  to: number | null;
}

/** How far a session of a device is stored. */
export interface Progress {
  /** every sample up to this one is stored */
  acked: number;
  /** the newest stored sample */
  highest: number;
  duplicates: number;
  /** windows that the device forgot before they were acknowledged */
  dropped: number;
}
