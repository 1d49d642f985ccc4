/** What the gateway's API says, as far as the nodes read it; see `/api/openapi.json` for all of it. */

/** One thing that happened; ids only grow. */
export interface GatewayEvent {
  id: number;
  /** ms since 1970 */
  at: number;
  kind: string;
  /** a device, a version, a rollout */
  subject: string;
  data: Record<string, unknown>;
}

/** A window that a device saw, and what it made of it. */
export interface WindowView {
  device: string;
  /** 'SESSION:SEQ' */
  id: string;
  at: number;
  predicted: string | number | null;
  score: number | null;
  confidence: number | null;
  version: string | null;
  raw: boolean;
  label: string | null;
  quarantine: string | null;
}

/** The samples of a window; `values` has one row a sample, one column an axis. */
export interface Signal {
  axes: string[];
  rateHz: number;
  unit: string;
  values: number[][];
}

export interface RolloutView {
  id: string;
  version: string;
  previous: string | null;
  scope: string;
  stage: string;
  startedAt: number;
  endedAt: number | null;
  reason: string | null;
  devices: { id: string; state: string }[];
}

export interface TrainView {
  scope: string;
  released: boolean;
  version: string | null;
  reason: string;
}

/** Who the gateway takes a caller for. */
export interface Me {
  name: string;
  role: string;
  via: string;
}

/** What comes over the live socket. */
export type LiveMessage =
  | { type: 'hello'; lastEvent: number; at: number; role: string }
  | { type: 'event'; event: GatewayEvent }
  | { type: 'window'; window: WindowView }
  | { type: 'skipped'; windows: number };
