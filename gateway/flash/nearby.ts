import { GatewayError } from '../errors.ts';
import { type BleRadio, bleRadio, type Nearby } from '../link/ble-radio.ts';

/** What is heard by Bluetooth. */
export interface Heard {
  boards: Nearby[];
  /** why nothing could be heard, and what to do; null where it could */
  lacks: string | null;
}

/** Espruino advertises every 375 ms. */
const LISTEN_MS = 3000;

/**
 * Listens for boards by Bluetooth for a few seconds; a computer without it has only cables, and says so.
 *
 * @param radio let go of at the end
 */
export async function heardByBluetooth(radio: BleRadio = bleRadio()): Promise<Heard> {
  try {
    return { boards: await radio.nearby(LISTEN_MS), lacks: null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { boards: [], lacks: error.line() };
  } finally {
    radio.close();
  }
}
