import type { WindowOptions } from './core/window.ts';

/** What of a task says how its samples become windows. */
export interface WindowTask {
  sensor: { axes: readonly string[] };
  window: {
    mode: 'gesture' | 'sliding';
    samples: number;
    minSamples: number;
    threshold: number;
    quiet: number;
    preroll: number;
    stride?: number;
  };
}

/** The core's options for a task's windows: what the bundle is built with. */
export function windowOptions({ sensor, window }: WindowTask): WindowOptions {
  return {
    mode: window.mode,
    axes: sensor.axes.length,
    samples: window.samples,
    stride: window.stride ?? window.samples,
    threshold: window.threshold,
    quiet: window.quiet,
    preRoll: window.preroll,
    least: window.minSamples,
  };
}
