import type { AlarmsView, QualityView, SilenceView } from './views/monitor.ts';
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
  silence(request: SilenceRequest, by?: string): Promise<SilenceView>;
  /**
   * Ends silences of a subject: of one kind, or all.
   *
   * @throws GatewayError 'not-found' if nothing of it is silenced
   */
  unsilence(request: UnsilenceRequest, by?: string): Promise<{ ended: number }>;
  /**
   * How well the devices of a scope do: measured where labels came, estimated where none did.
   *
   * @param scope 'fleet', 'cohort:NAME' or 'device:ID'
   * @throws GatewayError 'not-found' if nobody is in it
   */
  quality(scope: string): Promise<QualityView>;
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
