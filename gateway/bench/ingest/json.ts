import { travels } from '../../../device/core/link.ts';
import type { Task } from '../../task.ts';
import { BETWEEN_MS, deviceId, type FrameDevice, windowsOf } from './device.ts';

/** A device that sends the same windows as lines of JSON, as such flows have them; it needs no hello. */
export function jsonDevice(
  index: number,
  task: Task,
): Pick<FrameDevice, 'isUp' | 'make' | 'hello'> {
  const window = windowsOf(index, task);
  const { confidentOneIn, uncertainBelow, rawOneIn } = task.send;
  const policy = [confidentOneIn, uncertainBelow, rawOneIn];
  let seq = 0;
  return {
    isUp: true,
    hello() {},
    make(count) {
      const ends: number[] = [];
      let text = '';
      for (let i = 0; i < count; i++) {
        const { cls, score, embedding } = window();
        seq++;
        const sent = travels(policy, seq, score, null) > 0 ? [...embedding] : null;
        const line = {
          ...{ index, device: deviceId(index), session: 7, seq, t: seq * BETWEEN_MS, release: 1 },
          ...{
            cls,
            score,
            length: task.window.samples,
            embedding: sent,
            window: null,
            label: null,
          },
        };
        text += `${JSON.stringify(line)}\n`;
        ends.push(text.length);
      }
      return { bytes: new Uint8Array(Buffer.from(text)), ends };
    },
  };
}

/**
 * Takes lines apart, however they were cut.
 *
 * @param onLine told of each, without its end
 * @returns takes what was received
 */
export function lines(onLine: (line: string) => void): (received: Uint8Array) => void {
  let kept = '';
  return (received) => {
    const all = (kept + Buffer.from(received).toString()).split('\n');
    kept = all.pop()!;
    for (const line of all) onLine(line);
  };
}
