import { el } from '../dom.js';
import { axis, LINES, plot } from './plot.js';

/** @import { Signal } from '../../views/window.ts' */

/**
 * The raw samples of a window, one line an axis.
 *
 * @param {AbortSignal} signal ends it
 * @param {{ height?: number }} [about]
 */
export function signalPlot(signal, { height = 220 } = {}) {
  /** @type {string[]} */
  let axes = [];
  const names = el('p', { class: 'legend' });
  const drawing = plot(signal, {
    ...{ label: 'no signal yet', height },
    options: (ink) => ({
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [
        axis(ink, { size: 36, values: (_, all) => all.map((s) => `${+s.toFixed(2)} s`) }),
        axis(ink, { size: 52 }),
      ],
      series: [
        {},
        ...axes.map((label, i) => {
          const { ink: name, dash } = LINES[i % LINES.length];
          return { label, stroke: ink(name), dash, width: 2, points: { show: false } };
        }),
      ],
    }),
  });
  return {
    box: el('figure', { class: 'signal' }, names, drawing.box),
    /** @param {Signal} raw @param {string} what */
    show(raw, what) {
      const anew = raw.axes.join() !== axes.join();
      axes = raw.axes;
      names.replaceChildren(
        ...raw.axes.map((name, i) =>
          el('span', { class: `key key-${LINES[i % LINES.length].ink}` }, name),
        ),
        el(
          'span',
          { class: 'quiet' },
          `${raw.values.length} samples at ${raw.rateHz} Hz, ${raw.unit}`,
        ),
      );
      const x = raw.values.map((_, i) => i / raw.rateHz);
      const columns = raw.axes.map((_, axisNumber) =>
        raw.values.map((row) => row[axisNumber] ?? null),
      );
      const spans = raw.axes.map((name, i) => {
        const known = columns[i].filter((v) => v !== null);
        return `${name} from ${Math.min(...known).toFixed(1)} to ${Math.max(...known).toFixed(1)}`;
      });
      drawing.show([x, ...columns], `${what}: ${spans.join(', ')} ${raw.unit}`, { anew });
    },
  };
}
