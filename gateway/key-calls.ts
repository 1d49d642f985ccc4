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
  addKeys(request: AddKeys): Promise<AddedKeys>;
  /**
   * Draws the next keys of a device and hands them over its link, now or when it is next here.
   *
   * @throws GatewayError 'not-found', 'not-allowed' where its link is not encrypted
   */
  rotateKeys(device: string): Promise<KeyView>;
  /**
   * Forgets a device's keys: it is refused from then on.
   *
   * @throws GatewayError 'not-found'
   */
  removeKeys(device: string): Promise<KeyView>;
}

/** Where a device with keys stands. */
export interface KeyView {
  device: string;
  board: string;
  suite: 'ccm' | 'mac';
  /** null once they are removed */
  generation: number | null;
  /** a generation that is on its way to the device */
  pending: number | null;
  addedAt: number;
  /** when the present generation came into use on both sides */
  rotatedAt: number;
  removedAt: number | null;
  connected: boolean;
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

/** New keys, with what goes into the device's flash. */
export interface AddedKeys extends KeyView {
  /** slot file of the device from its first whole page on, with the keys; base64 */
  image: string;
}

/** How a device's link is secured, and what was turned away there. */
export interface LinkView {
  /** null for a device that has not been here since the gateway started */
  suite: 'ccm' | 'mac' | 'none' | null;
  /** a real board under less than it could, or under none */
  weak: boolean;
  /** of its keys; null without */
  generation: number | null;
  /** of its port: frames that were damaged or opened under no key, and such as had come before */
  badFrames: number;
  replays: number;
  /** messages that wait for the port */
  waiting: number;
  /** what it refused of what was offered, and impostors with its keys: how often, by name */
  refused: { [what: string]: number };
}
