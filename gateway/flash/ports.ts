import { SerialPort } from 'serialport';

/** A port that a board may be on. */
export interface Candidate {
  path: string;
  /** what is known of what is plugged in */
  what: string;
}

/** Vendor ids of USB-serial chips and boards that Espruino and NodeMCU come on. @source usb.ids */
const KNOWN: Record<string, string> = {
  '0483': 'STM32 (Espruino boards)',
  '10c4': 'CP210x (ESP32, NodeMCU)',
  '1a86': 'CH340 (ESP8266, NodeMCU)',
  '0403': 'FTDI cable',
  '067b': 'Prolific cable',
  '303a': 'Espressif',
  '1915': 'Nordic',
};

/** Serial ports of this computer with something plugged in, the likeliest boards first. */
export async function candidates(): Promise<Candidate[]> {
  const ports = await SerialPort.list();
  const plugged = ports.filter(({ vendorId, path }) => vendorId || /USB|ACM|usb/.test(path));
  return plugged
    .map(({ path, vendorId, manufacturer, serialNumber }) => {
      const known = KNOWN[vendorId?.toLowerCase() ?? ''];
      const parts = [known ?? manufacturer ?? 'unknown', serialNumber && `serial ${serialNumber}`];
      return { path, what: parts.filter(Boolean).join(', '), known: known !== undefined };
    })
    .sort((a, b) => Number(b.known) - Number(a.known))
    .map(({ path, what }) => ({ path, what }));
}
