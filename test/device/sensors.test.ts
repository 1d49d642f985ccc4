import { afterEach, describe, expect, it } from 'vitest';
import { buildBundle } from '../../device/build.ts';
import type { Device } from '../../device/core/device.ts';
import { connectSensor as analogue } from '../../device/espruino/analogue.ts';
import { connectSensor as bangle } from '../../device/espruino/bangle.ts';
import { connectSensor as puck } from '../../device/espruino/puck.ts';
import { sensorOf } from '../../device/sensors.ts';
import { loadBoard } from '../../gateway/board.ts';
import { loadTask, parseTask } from '../../gateway/task.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../support/run-espruino.ts';

const gesture = loadTask('gesture');

/** Two analogue inputs. */
const pressure = parseTask({
  ...{ name: 'pressure', kind: 'classification', classes: ['low', 'high'] },
  sensor: { name: 'analogue', axes: ['a', 'b'], rateHz: 50 },
  window: { mode: 'sliding', samples: 10, stride: 10 },
  features: 'statistics',
  architecture: { layers: [{ type: 'dense', units: 2, activation: 'none' }], cut: 0 },
});

/** What a driver hands on. */
function listener(): { device: Device; samples: number[][] } {
  const samples: number[][] = [];
  const sample = (values: ArrayLike<number>) => void samples.push(Array.from(values));
  return { device: { sample } as Device, samples };
}

const world = globalThis as Record<string, unknown>;
afterEach(() => {
  for (const name of ['Bangle', 'Puck', 'analogRead']) delete world[name];
});

describe('sensorOf()', () => {
  it('chooses the driver of the sensor that the task names, at the nearest rate that it has', () => {
    const at = (rateHz: number) => ({ sensor: { ...gesture.sensor, rateHz } });
    expect(sensorOf(loadBoard('puckjs'), gesture)).toEqual({
      ...{ name: 'puck-accelerometer', path: './espruino/puck.ts', pins: false },
      ...{ scale: 32 / 8192, rateHz: 12.5 },
    });
    expect(sensorOf(loadBoard('puckjs'), at(100))).toMatchObject({ rateHz: 104 });
    expect(sensorOf(loadBoard('puckjs'), pressure)).toMatchObject({
      ...{ name: 'analogue-input', rateHz: 50, scale: 255, pins: true },
    });
  });

  it('says what is lacking when there is no driver, or none that is fast enough', () => {
    const motor = loadTask('motor-health');
    expect(sensorOf(loadBoard('banglejs2'), motor)).toEqual({
      lacks: 'bangle-accelerometer has no rate near 100 Hz, the nearest is 12.5',
    });
    expect(sensorOf(loadBoard('pixljs'), gesture)).toEqual({
      lacks: "no driver for 'accelerometer' on this board",
    });
  });
});

describe('connectSensor()', () => {
  it("hands on a Bangle.js's accelerometer in the task's counts, without its power saving", () => {
    const { device, samples } = listener();
    let say: (reading: object) => void = () => {};
    const intervals: number[] = [];
    world.Bangle = {
      on: (event: string, callback: typeof say) => {
        expect(event).toBe('accel');
        say = callback;
      },
      setPollInterval: (ms: number) => intervals.push(ms),
    };
    bangle(device, 32, 12.5);
    say({ x: 1, y: -0.5, z: 0.26 });
    expect([samples, intervals]).toEqual([[[32, -16, 8]], [80]]);
  });

  it("hands on a Puck.js's accelerometer, of which 8,192 counts are one g", () => {
    const { device, samples } = listener();
    let say: (reading: object) => void = () => {};
    const rates: number[] = [];
    world.Puck = {
      on: (event: string, callback: typeof say) => {
        expect(event).toBe('accel');
        say = callback;
      },
      accelOn: (rateHz: number) => rates.push(rateHz),
    };
    puck(device, 32 / 8192, 104);
    say({ acc: { x: 8192, y: -4096, z: 100 }, gyro: { x: 1, y: 2, z: 3 } });
    expect([samples, rates]).toEqual([[[32, -16, 0]], [104]]);
  });

  it('reads a pin for each axis, from the lowest int8 to the highest', async () => {
    const levels: Record<string, number> = { A0: 0, A1: 1, A2: 0.5 };
    world.analogRead = (pin: string) => levels[pin];
    const { device, samples } = listener();
    const timers: [call: () => void, ms: number][] = [];
    const real = globalThis.setInterval;
    try {
      globalThis.setInterval = ((call: () => void, ms: number) => {
        timers.push([call, ms]);
      }) as unknown as typeof setInterval;
      analogue(device, 255, 50, ['A0', 'A1', 'A2']);
    } finally {
      globalThis.setInterval = real;
    }
    const [[call, ms]] = timers as [[() => void, number]];
    call();
    expect([samples, ms]).toEqual([[[-128, 127, 0]], 20]);
  });

  it.skipIf(espruinoPath() === undefined)(
    `reads pins on a real Espruino, in the built bundle: 0 on Linux, and what a pin is made to say${skippedEspruino}`,
    async () => {
      const { code } = await buildBundle({ board: loadBoard('espruino-linux'), task: pressure });
      const said = await runEspruino(
        `${code}
        whetstone({id:'a',serial:{path:'/dev/null'},pins:['D1','D2']});
        var n=0;
        W.sample=function(v){
          print(v.join());
          n++;
          if(n==2)global.analogRead=function(p){return p=='D1'?1:0.25};
          if(n==4)clearInterval();
        };`,
      );
      const samples = said.match(/-?\d+,-?\d+$/gm);
      expect(samples).toEqual(['-128,-128', '-128,-128', '127,-64', '127,-64']);
    },
  );
});
