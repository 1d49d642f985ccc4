import type { PortView } from './views/port.ts';

/** What can be asked of a gateway about its ports: a part of its calls, see `calls.ts`. */
export interface PortCalls {
  /** Every port that it hears or waits for. */
  ports(): Promise<PortView[]>;
  /**
   * Hears a further port from now on, and after the next start as well. It is waited for where it is not
   * there yet.
   *
   * @throws GatewayError 'not-allowed' if it is heard already
   */
  addPort(port: NewPort, by?: string): Promise<PortView>;
  /**
   * Hears a port no more, and closes it. One that was named at the start comes back with the next start.
   *
   * @throws GatewayError 'not-found'
   */
  removePort(port: NewPort, by?: string): Promise<PortView>;
}

export interface NewPort {
  kind: PortView['kind'];
  /** path of the serial port; name or address of the board by Bluetooth */
  name: string;
}
