import type { DeviceKeys, KeyPair, KeyRing } from '../../../link/keys.ts';
import { testKeys } from '../keyed-flash.ts';

/** The keys that a gateway has of the device whose power goes. */
export type LinkKeys = Pick<DeviceKeys, 'present' | 'pending'>;

/** A pair of keys of a generation; the first is the one that {@link keyedFlash} holds. */
export function generation(number: number): KeyPair {
  const { up, down } = testKeys;
  const of = (key: Uint8Array): Uint8Array => key.map((byte) => (byte + 31 * (number - 1)) % 256);
  return { generation: number, up: of(up), down: of(down) };
}

/** A ring of one device's keys, and what became of them. */
export interface OneKey extends KeyRing {
  keys(): LinkKeys;
  /** Keys that are to be handed to the device. */
  rotate(pending: KeyPair): void;
}

/** The ring of a gateway that lives as long as one boot of its device, in memory. */
export function oneKey(device: string, keys: LinkKeys): OneKey {
  let own: DeviceKeys = {
    ...{ device, suite: 'ccm', port: '', ...keys },
    ...{ epoch: 0, provenEpoch: 0, deviceEpoch: 0 },
  };
  return {
    get: (id) => (id === device ? own : undefined),
    knows: (id) => id === device,
    list: () => [own],
    begin(_id, deviceEpoch) {
      own = { ...own, epoch: own.epoch + 1, deviceEpoch: Math.max(deviceEpoch, own.deviceEpoch) };
      return own.epoch;
    },
    prove(_id, { epoch, deviceEpoch, port }) {
      own = { ...own, provenEpoch: epoch, deviceEpoch, port };
    },
    promote() {
      if (own.pending !== null) own = { ...own, present: own.pending, pending: null };
    },
    keys: () => ({ present: own.present, pending: own.pending }),
    rotate(pending) {
      own = { ...own, pending };
    },
  };
}
