import type { AddedKeys, KeyView } from './views/key.ts';
/**
 * What a person or a program can ask about the keys of devices; part of all calls. Key material
 * leaves the gateway once, in the image that is made with it, and never in a list, a log or an event.
 */
export interface KeyCalls {
  keys(): Promise<KeyView[]>;
  /**
   * Draws keys for a device.
   *
   * @throws GatewayError 'bad-board' (none of that name), 'not-allowed' (it has keys already, or the
   *   board can do no better than none), 'not-found' (no such version)
   */
  addKeys(request: AddKeys, by?: string): Promise<AddedKeys>;
  /**
   * Draws the next keys of a device and hands them over its link, now or when it is next here.
   *
   * @throws GatewayError 'not-found', 'not-allowed' where its link is not encrypted
   */
  rotateKeys(device: string, by?: string): Promise<KeyView>;
  /**
   * Forgets a device's keys: it is refused from then on.
   *
   * @throws GatewayError 'not-found'
   */
  removeKeys(device: string, by?: string): Promise<KeyView>;
}

export interface AddKeys {
  device: string;
  board: string;
  /** default the strongest of the board; weaker ones need `allowWeakLink` */
  suite?: 'ccm' | 'mac';
  /** the device has keys, and is flashed again */
  replace?: boolean;
  /** a version to put into the image, by its first digits; without one the device takes its first from the gateway */
  model?: string;
}
