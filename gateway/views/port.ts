import Type, { type Static } from 'typebox';
import { oneOf, text } from './schema.ts';

/** A port that the gateway hears, or waits for. */
export const PortView = Type.Object({
  kind: oneOf(['serial', 'ble'], 'of port'),
  name: text('path of the serial port; name or address of the board by Bluetooth'),
  from: oneOf(
    ['start', 'added'],
    'whether it was named at the start, on the command line or in the configuration, or added since: that is kept',
  ),
  devices: Type.Array(Type.String(), { description: 'that are connected there now' }),
});
export type PortView = Static<typeof PortView>;
