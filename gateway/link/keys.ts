import type { SuiteName } from './suites/suite.ts';

/** One generation of a device's keys: one for each direction, 16 bytes. */
export interface KeyPair {
  /** from 1; grows with each rotation */
  generation: number;
  /** device → gateway */
  up: Uint8Array;
  /** gateway → device */
  down: Uint8Array;
}

/** What the gateway has of a device with keys. */
export interface DeviceKeys {
  readonly device: string;
  readonly suite: SuiteName;
  readonly present: KeyPair;
  /** on their way to the device: until it speaks under them, both are taken */
  readonly pending: KeyPair | null;
  /** the gateway's epoch that was begun last; 0 before the first */
  readonly epoch: number;
  /** the gateway's epoch that the device has spoken under last: it knows this one or a later one */
  readonly provenEpoch: number;
  /** the highest epoch that the device was heard in */
  readonly deviceEpoch: number;
  /** port that it was the last to speak on, '' for none */
  readonly port: string;
}

/**
 * The keys of all devices, as the link needs them. Whatever changes is on disk before the call
 * returns: no epoch is ever used twice, whenever the gateway dies.
 */
export interface KeyRing {
  /** undefined for a device that has no keys, or none any more */
  get(device: string): DeviceKeys | undefined;
  /** Whether a device has keys, or had some: its id counts for nothing without them. */
  knows(device: string): boolean;
  list(): readonly DeviceKeys[];
  /**
   * Begins an epoch of the gateway's: a connection to the device starts.
   *
   * @param deviceEpoch that the device is in
   * @throws GatewayError 'disk-full', 'store'
   */
  begin(device: string, deviceEpoch: number): number;
  /** The device has spoken under the gateway's epoch, the last on its port. @throws GatewayError 'disk-full', 'store' */
  prove(device: string, of: Pick<DeviceKeys, 'epoch' | 'deviceEpoch' | 'port'>): void;
  /** The device has spoken under its pending keys: they are the present ones from now on. */
  promote(device: string): void;
}

/** Of a gateway without keys: virtual devices need none. */
export const noKeys: KeyRing = {
  get: () => undefined,
  knows: () => false,
  list: () => [],
  begin: () => {
    throw new RangeError('a device without keys has no epoch');
  },
  prove: () => {},
  promote: () => {},
};
