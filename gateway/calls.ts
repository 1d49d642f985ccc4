import type { BoxCalls } from './box-calls.ts';
import type { BudgetLimits } from './budget/limits.ts';
import type { GatewayError } from './errors.ts';
import type { Format } from './formats.ts';
import type { HistoryCalls } from './history-calls.ts';
import type { KeyCalls } from './key-calls.ts';
import type { LabelCalls } from './label-calls.ts';
import type { MonitorCalls } from './monitor-calls.ts';
import type { PortCalls } from './port-calls.ts';
import type { RetentionLimits } from './retention.ts';
import type { SigningCalls } from './signing-calls.ts';
import type { TokenCalls } from './token-calls.ts';
import type { DeviceView } from './views/device.ts';
import type { ExportView, ImportView, ModelView, TrainView } from './views/model.ts';
import type { RolloutView } from './views/rollout.ts';
import type { GatewayEvent, Status } from './views/status.ts';
import type { WindowCalls } from './window-calls.ts';

export type * from './box-calls.ts';
export { FORMATS, type Format } from './formats.ts';
export type * from './history-calls.ts';
export type * from './key-calls.ts';
export type * from './label-calls.ts';
export * from './monitor-calls.ts';
export type * from './port-calls.ts';
export { ROLES, type Role } from './roles.ts';
export type * from './signing-calls.ts';
export type * from './token-calls.ts';
export type * from './views/box.ts';
export type * from './views/device.ts';
export type * from './views/history.ts';
export type * from './views/key.ts';
export type * from './views/label.ts';
export type * from './views/live.ts';
export type * from './views/model.ts';
export type * from './views/monitor.ts';
export type * from './views/port.ts';
export type * from './views/rollout.ts';
export type * from './views/status.ts';
export type * from './views/token.ts';
export type * from './views/window.ts';
export type * from './window-calls.ts';

/**
 * What a person or a program can ask of a running gateway: one set of calls, three faces (command
 * line, HTTP, page). Everything here travels as JSON: times are milliseconds since 1970, versions
 * 64 hexadecimal digits, shares and accuracies 0 to 1. What changes something takes last who wants it, `by`, for
 * the log: name and role of a token; default 'person'.
 */
export interface Calls
  extends BoxCalls,
    HistoryCalls,
    KeyCalls,
    LabelCalls,
    MonitorCalls,
    PortCalls,
    SigningCalls,
    TokenCalls,
    WindowCalls {
  /** At a glance: what there is, in summaries. */
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
  /** @throws GatewayError 'not-found' */
  rollout(id: string): Promise<RolloutView>;
  /**
   * Lets a rollout go on that stands in stage 'awaiting-approval'.
   *
   * @throws GatewayError 'not-found'; 'not-allowed' if it waits for no approval
   */
  approveRollout(id: string, by?: string): Promise<RolloutView>;
  /**
   * Ends a rollout that has not settled, and takes back what went out.
   *
   * @throws GatewayError 'not-found'; 'not-allowed' if it is over
   */
  stopRollout(id: string, request?: StopRequest, by?: string): Promise<RolloutView>;
  /** Events with an id above `since`, oldest first; without `since` the newest `limit`. */
  events(query?: EventQuery): Promise<GatewayEvent[]>;
  /** Trains for a scope now and puts what passes the gate on its way. */
  train(request: TrainRequest, by?: string): Promise<TrainView>;
  /**
   * Makes a registered version the champion of its scope and rolls it out; of a champion whose release
   * is over, or was signed by a key that is revoked, says it again.
   */
  promote(version: string, by?: string): Promise<RolloutView>;
  /** Goes back to the version before; without a version, undoes the newest promotion. */
  rollback(version?: string, by?: string): Promise<RolloutView>;
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
  importModel(request: ImportRequest, by?: string): Promise<ImportView>;
  /**
   * Calls back for every event from now on, in order.
   *
   * @returns a function that ends it
   */
  on(name: 'event', listener: (event: GatewayEvent) => void): () => void;
}

export interface StopRequest {
  /** for the log; default 'stopped by hand' */
  reason?: string;
}

export interface EventQuery {
  since?: number;
  limit?: number;
}

export interface TrainRequest {
  /** 'fleet', 'cohort:NAME' or 'device:ID' */
  scope: string;
}

export interface ImportRequest {
  /** name of the task that the model is for */
  task: string;
  /** the .tflite file, base64 */
  file: string;
  /** only look: register nothing */
  look?: boolean;
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
  /** boards by Bluetooth Low Energy: the names that they advertise, or addresses */
  ble?: string[];
  /** certificate (with what it was signed by) and key, PEM files: needed off the loopback */
  tls?: { cert: string; key: string };
  /** further names under which the API is asked: 'box.local'; with a port where that is another one */
  names?: string[];
  /** asks for a token on the loopback, too; default not */
  requireToken?: boolean;
  /** virtual watches when no port is named; default 4 */
  virtual?: number;
  seed?: number;
  /** a folder of labelled recordings, from which a fleet without a model learns its first */
  recordings?: string;
  /** real boards may speak under weaker suites than their board can do, and without keys */
  allowWeakLink?: boolean;
  /** 'canary': a person is asked once the canaries of a rollout have passed; default the task's, else 'none' */
  approval?: 'none' | 'canary';
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
  /** the file with the admin token, where this start made one */
  readonly adminToken: string | null;
  /** Resolves when the store turns out to be damaged: close the gateway, and say so. */
  readonly damaged: Promise<GatewayError>;
  close(): Promise<void>;
}
