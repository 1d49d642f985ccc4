/**
 * What a person or a program can ask about how well devices do, and what is wrong; part of all calls.
 * Times are milliseconds since 1970, shares 0 to 1.
 */
export interface MonitorCalls {
  /** What is wrong now, and who does not want to hear of it. */
  alarms(): Promise<AlarmsView>;
  /**
   * Tells no more of alarms of a device, a cohort or the fleet for a while; they are raised, recorded
   * and healed all the same.
   *
   * @throws GatewayError 'not-found' if there is no such subject
   */
  silence(request: SilenceRequest): Promise<SilenceView>;
  /** Ends silences of a subject: of one kind, or all. */
  unsilence(request: UnsilenceRequest): Promise<{ ended: number }>;
  /**
   * How well the devices of a scope do: measured where labels came, estimated where none did.
   *
   * @param scope 'fleet', 'cohort:NAME' or 'device:ID'
   * @throws GatewayError 'not-found' if nobody is in it
   */
  quality(scope: string): Promise<QualityView>;
}

/** What labels say: a share, with its 95 % interval. */
export interface MeasuredView {
  accuracy: number;
  low: number;
  high: number;
  labels: number;
}

/** What scores let expect, with a 95 % interval, and how far earlier such estimates were off. */
export interface EstimatedView {
  accuracy: number;
  low: number;
  high: number;
  windows: number;
  /** labels of this release from which the meaning of its scores was learned */
  labels: number;
  /** estimates that labels judged later, ten windows each; null before the first */
  past: { estimates: number; meanError: number; bias: number; held: number } | null;
}

export interface QualityView {
  scope: string;
  devices: string[];
  measured: MeasuredView | null;
  estimated: EstimatedView | null;
  /** null where no labelled window was of the class, or said to be it */
  classes: {
    cls: string;
    recall: number | null;
    precision: number | null;
    /** labelled windows of the class, and windows said to be it */
    truths: number;
    saids: number;
  }[];
  /** expected calibration error of the score as a confidence; null without labels */
  calibrationError: number | null;
  reliability: { confidence: number; accuracy: number; windows: number }[];
  /** of each device: what needs no label says, and how its sensor is */
  witnesses: {
    device: string;
    evidence: 'drifted' | 'steady' | 'unknown';
    sensor: 'well' | 'sick';
    missing: number;
  }[];
}

/** One cause: a device, or the fleet or a cohort where it is all over them. */
export interface AlarmView {
  subject: string;
  devices: string[];
  /** 'score', 'features', 'classes', 'accuracy' or 'sensor' */
  what: string;
  since: number;
  /** when it was seen, and when a watcher last spoke of it */
  at: number;
  lastAt: number;
  /** how often watchers spoke, and which others did */
  count: number;
  also: string[];
  message: string;
  /** features, classes or axes that it is about */
  where: string[];
  before: number;
  after: number;
  windows: number;
  /** capital won by betting on a change (score, classes), else probability that it was chance */
  evidence: number;
  release: number;
  silencedUntil: number | null;
}

export interface AlarmsView {
  alarms: AlarmView[];
  silences: SilenceView[];
}

export interface SilenceView {
  subject: string;
  /** a kind of alarm; null for every kind */
  what: string | null;
  at: number;
  until: number;
}

/** Kinds of alarms; see the monitor. */
export const KINDS = ['score', 'features', 'classes', 'accuracy', 'sensor'] as const;

export interface SilenceRequest {
  /** a device, 'cohort:NAME' or 'fleet' */
  subject: string;
  what?: (typeof KINDS)[number];
  forMs: number;
}

export interface UnsilenceRequest {
  subject: string;
  what?: (typeof KINDS)[number];
}
