import { GatewayError } from '../../errors.ts';
import type { Port } from '../../link/port.ts';
import { type EspruinoOptions, spawnEspruino } from '../../link/virtual/espruino-process.ts';
import type { Triple } from '../../synthetic/wearer.ts';

/** Moments on this computer's clock, in ms since 1970. */
export interface Seen {
  /** the last sample of the window was handed to the runtime; the prediction was there */
  sampleAt: number;
  predictedAt: number;
}

/** A real Espruino that stamps what it sees. */
export interface TimedDevice {
  readonly port: Port;
  /** Hands it the samples of one window. @returns undefined while it runs no model */
  see(samples: readonly Triple[]): Promise<Seen | undefined>;
  stop(): Promise<void>;
}

/** Now, in ms since 1970 and parts of them: the clock that Espruino on Linux reads, too. */
export const now = (): number => performance.timeOrigin + performance.now();

/**
 * Its own clock is put forward by a period at each sample, or its windows would be faster than a
 * sensor can be; stamps are taken from the clock behind it. T: when the newest sample was handed over.
 */
const harness = (periodS: number): string =>
  'var realTime=getTime,aheadS=0;global.getTime=function(){return realTime()+aheadS};var T,R;' +
  'W.on=function(){R=[T,realTime()]};' +
  // in base64: a long line of numbers is more than its console's buffer holds
  'function F(t){R=0;var a=new Int8Array(E.toArrayBuffer(atob(t)));for(var i=0;i<a.length;i+=3){' +
  `aheadS+=${periodS};var s=[a[i],a[i+1],a[i+2]];T=realTime();W.sample(s)}}`;

/**
 * Boots a bundle on a real Espruino.
 *
 * @param rateHz of the sensor
 * @throws GatewayError 'missing-tool', 'bad-bundle', 'port'
 */
export async function timedDevice(options: EspruinoOptions, rateHz: number): Promise<TimedDevice> {
  const device = await spawnEspruino(options);
  await device.run(harness(1 / rateHz));
  return {
    port: device.port,
    see: async (samples) => {
      const text = Buffer.from(Int8Array.from(samples.flat()).buffer).toString('base64');
      const said = await device.run(`F("${text}");print("="+R)`);
      const [, sample, predicted] = /=([\d.]+),([\d.]+)/.exec(said) ?? [];
      if (sample === undefined) return undefined;
      return { sampleAt: Number(sample) * 1000, predictedAt: Number(predicted) * 1000 };
    },
    stop: () => device.stop(),
  };
}

/**
 * How long bytes take to a device that says what it hears, and back.
 *
 * @param port open
 * @returns ms of each turn
 * @throws GatewayError 'port' if they do not come back within a while
 */
export async function echoes(port: Port, bytes: number, turns: number): Promise<number[]> {
  const payload = Uint8Array.from({ length: bytes }, (_, i) => 32 + (i % 90));
  const out: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const begun = now();
    await new Promise<void>((resolve, reject) => {
      const lost = new GatewayError('port', `${port.name} does not say what it hears`);
      const timer = setTimeout(() => reject(lost), 10_000);
      let back = 0;
      port.onData((piece) => {
        back += piece.length;
        if (back < bytes) return;
        clearTimeout(timer);
        resolve();
      });
      port.write(payload);
    });
    out.push(now() - begun);
  }
  return out;
}
