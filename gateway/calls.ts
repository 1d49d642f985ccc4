import type { BudgetLimits } from './budget/limits.ts';
import type { GatewayError } from './errors.ts';
import type { KeyCalls, LinkView } from './key-calls.ts';
import type { LabelCalls } from './label-calls.ts';
import type { EstimatedView, MeasuredView, MonitorCalls } from './monitor-calls.ts';
import type { RetentionLimits } from './retention.ts';
import type { SigningCalls } from './signing-calls.ts';
import type { ModelSummary } from './train/model-summary.ts';
import type { WearView } from './wear.ts';

export type * from './key-calls.ts';
export type * from './label-calls.ts';
export * from './monitor-calls.ts';
export type * from './signing-calls.ts';

/**
 * What a person or a program can ask of a running gateway: one set of calls, three faces (command
 * line, HTTP, page). Everything here travels as JSON: times are milliseconds since 1970, versions
 * 64 hexadecimal digits, shares and accuracies 0 to 1.
 */
export interface Calls extends KeyCalls, LabelCalls, MonitorCalls, SigningCalls {
  status(): Promise<Status>;
  devices(): Promise<DeviceView[]>;
  /** @throws GatewayError 'not-found' */
  device(id: string): Promise<DeviceView>;
  models(): Promise<ModelView[]>;
  /**
   * @param version the version or its first digits, when they name one
   * @throws GatewayError 'not-found'
   */
  model(version: string): Promise<ModelView>;
  rollouts(): Promise<RolloutView[]>;
  /** Events with an id above `since`, oldest first; without `since` the newest `limit`. */
  events(query?: EventQuery): Promise<GatewayEvent[]>;
  /** Trains for a scope now and puts what passes the gate on its way. */
  train(request: TrainRequest): Promise<TrainView>;
  /**
   * Makes a registered version the champion of its scope and rolls it out; of a champion whose release
   * is over, or was signed by a key that is revoked, says it again.
   */
  promote(version: string): Promise<RolloutView>;
  /** Goes back to the version before; without a version, undoes the newest promotion. */
  rollback(version?: string): Promise<RolloutView>;
  /**
   * A version as a file.
   *
   * @param version the version or its first digits, when they name one
   * @throws GatewayError 'not-found'
   */
  exportModel(version: string, format: Format): Promise<ExportView>;
  /**
   * Reads a .tflite file as a model of the gateway's task and registers it as a candidate.
   *
   * @throws GatewayError 'bad-model' if the file is damaged or none for the task; 'not-allowed' if
   *   the gateway is for another task
   */
  importModel(request: ImportRequest): Promise<ImportView>;
  /**
   * Calls back for every event from now on, in order.
   *
   * @returns a function that ends it
   */
  on(name: 'event', listener: (event: GatewayEvent) => void): () => void;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One thing that happened; the log is append-only. */
export interface GatewayEvent {
  id: number;
  at: number;
  kind: string;
  /** what it happened to: a device, a version, a rollout */
  subject: string;
  data: { [key: string]: Json };
}

export interface Status {
  /** one sentence for people: '4 virtual watches, synthetic motion' */
  sentence: string;
  /** true where no real sensor is behind the figures */
  synthetic: boolean;
  task: string;
  classes: string[];
  startedAt: number;
  at: number;
  devices: DeviceView[];
  rollouts: RolloutView[];
  training: TrainingView;
  store: StoreView;
  /** id of the newest event, where a reader of events goes on */
  lastEvent: number;
}

/** What is kept, and for how long. */
export interface StoreView {
  /** of its file */
  bytes: number;
  /** fingerprint of the key that it is encrypted with; null where it is not */
  keyId: string | null;
  /** since when the disk takes nothing; null while it does */
  fullSince: number | null;
  /** null where everything is kept */
  retention: {
    maxDays: number | null;
    maxBytes: number | null;
    /** windows in all, and when the last ones were */
    removed: number;
    removedAt: number | null;
    /** since when the store is too large although nothing is left that may be removed */
    crowdedSince: number | null;
  } | null;
}

/** What is trained, and what is to be. Reasons: 'alarm', 'labels', 'time', 'hand'. */
export interface TrainingView {
  running: { scope: string; why: string[] } | null;
  /** in the order in which they are to be trained */
  queue: { scope: string; why: string[] }[];
  /** what the first of the queue waits for: 'waits: cpu-thermal 84 °C, starts below 75 °C' */
  waiting: { scope: string; since: number; sentence: string } | null;
  /** when time is a reason again */
  dueAt: number | null;
}

export interface DeviceView {
  id: string;
  board: string;
  connected: boolean;
  synthetic: boolean;
  /** who wears it, where that is known */
  wearer: string | null;
  release: number;
  version: string | null;
  scope: string | null;
  state: 'empty' | 'confirmed' | 'trial';
  /** of the newest labelled windows; null without labels */
  accuracy: number | null;
  /** mean of the newest scores, in sixteenths of a logit */
  score: number | null;
  /** oldest first; at most some hundred points */
  history: { at: number; accuracy: number | null; score: number | null }[];
  alarm: { since: number; message: string; what: string; silencedUntil: number | null } | null;
  /** accuracy on the newest labelled windows; null without labels */
  measured: MeasuredView | null;
  /** accuracy on the newest windows as scores let expect it; null before there are enough */
  estimated: EstimatedView | null;
  samples: number;
  /** windows that the device had to evict before they were acknowledged */
  dropped: number;
  /** erases of its flash; null before they are counted */
  wear: WearView | null;
  link: LinkView;
  /** when it last said hello or its newest stored window came */
  lastSeen: number | null;
}

export interface ModelView {
  version: string;
  parent: string | null;
  scope: string;
  stage: string;
  release: number;
  rung: string | null;
  createdAt: number;
  parts: { part: 'pre' | 'backbone' | 'head'; id: string; bytes: number }[];
  /** the gate's report, as stored with the version */
  gate: Json;
}

export interface RolloutView {
  id: string;
  version: string;
  previous: string | null;
  scope: string;
  stage: string;
  startedAt: number;
  endedAt: number | null;
  /** one sentence: why it stands where it stands */
  reason: string | null;
  /** `reason`: why it is refused, failed or on its way back; '' otherwise */
  devices: { id: string; state: string; wireBytes: number; reason: string }[];
}

export interface EventQuery {
  since?: number;
  limit?: number;
}

export interface TrainRequest {
  /** 'fleet', 'cohort:NAME' or 'device:ID' */
  scope: string;
}

export interface TrainView {
  scope: string;
  released: boolean;
  version: string | null;
  rung: string | null;
  reason: string;
  trainMs: number;
  /** limits of the budget that were crossed: what is asked for by hand does not wait for them */
  although: string[];
}

/** What a version can be taken out as. */
export const FORMATS = ['tflite', 'onnx', 'image'] as const;
export type Format = (typeof FORMATS)[number];

export interface ExportView {
  version: string;
  format: Format;
  /** the file, base64 */
  file: string;
}

export interface ImportRequest {
  /** name of the task that the model is for */
  task: string;
  /** the .tflite file, base64 */
  file: string;
  /** only look: register nothing */
  look?: boolean;
}

export interface ImportView {
  /** null after a look */
  version: string | null;
  report: ImportReport;
}

/** What an import found, whether or not it was registered. */
export interface ImportReport extends ModelSummary {
  /** SHA-256 of the file, hex */
  file: string;
  /** whether the file came out of `export` as it is: then its version is the exported one */
  exported: boolean;
  /** what was made of the file otherwise than it stands there */
  notes: string[];
  parts: { part: 'pre' | 'backbone' | 'head'; bytes: number }[];
  boards: { board: string; fits: boolean; why: string[] }[];
}

/** How a gateway is started; every field may be left out. */
export interface StartOptions {
  /** a JSON file with any of the fields below */
  config?: string;
  /** where samples, models and keys live; default `.whetstone` */
  dataDir?: string;
  /** default 'gesture' */
  task?: string;
  /** of the page and the API; default '127.0.0.1' and 7380 */
  host?: string;
  port?: number;
  /** serial ports of real boards; with none, a virtual fleet */
  serial?: string[];
  baud?: number;
  /** virtual watches when no port is named; default 4 */
  virtual?: number;
  seed?: number;
  /** real boards may speak under weaker suites than their board can do, and without keys */
  allowWeakLink?: boolean;
  /** limits that a training waits for; in the configuration file only */
  budget?: Partial<BudgetLimits>;
  /** how much is kept; in the configuration file only */
  retention?: Partial<RetentionLimits>;
  /** file with the key of an encrypted store; a new store is encrypted with it */
  keyFile?: string;
}

/** A gateway that runs. */
export interface Gateway {
  readonly call: Calls;
  /** of the page */
  readonly url: string;
  /** Resolves when the store turns out to be damaged: close the gateway, and say so. */
  readonly damaged: Promise<GatewayError>;
  close(): Promise<void>;
}
