import uPlot from '/uplot.js';
import { el } from '../dom.js';
import { colour, onTheme } from '../theme.js';

/** The colours of the page, by name. @typedef {typeof colour} Ink */

/**
 * A plot that follows its box's width and the page's colours.
 *
 * @param {AbortSignal} signal ends it
 * @param {{ label: string, height: number,
 *   options: (ink: Ink) => Omit<uPlot.Options, 'width' | 'height'> }} about label says in a sentence
 *   what is drawn; options makes uPlot's
 */
export function plot(signal, { label, height, options }) {
  const box = el('div', { class: 'plot', role: 'img', 'aria-label': label });
  /** @type {uPlot | null} */
  let drawn = null;
  /** @type {uPlot.AlignedData | null} */
  let data = null;

  /** Sizes follow the letters of the page: those of a wall are larger. */
  const tall = () => height * letters();

  function draw() {
    drawn?.destroy();
    drawn = null;
    if (data === null || box.clientWidth === 0) return;
    const size = { width: box.clientWidth, height: tall() };
    drawn = new uPlot({ ...size, ...options(colour) }, data, box);
  }

  const resized = new ResizeObserver(() => {
    if (drawn === null) draw();
    else if (drawn.width !== box.clientWidth)
      drawn.setSize({ width: box.clientWidth, height: tall() });
  });
  resized.observe(box);
  onTheme(signal, draw);
  signal.addEventListener('abort', () => {
    resized.disconnect();
    drawn?.destroy();
  });
  return {
    box,
    /**
     * @param {uPlot.AlignedData} next columns, x first
     * @param {string} said what is drawn now
     * @param {{ anew?: boolean }} [how] anew: what is drawn has other axes than before
     */
    show(next, said, { anew = false } = {}) {
      const same = !anew && next.length === data?.length;
      data = next;
      box.setAttribute('aria-label', said);
      if (same && drawn !== null) drawn.setData(data);
      else draw();
    },
  };
}

/** Size of the page's letters beside the usual 16 px. */
const letters = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/**
 * How axes look in both themes.
 *
 * @param {Ink} ink
 * @param {Omit<uPlot.Axis, 'size'> & { size?: number }} [more] size at the usual size of letters, px
 * @returns {uPlot.Axis}
 */
export const axis = (ink, more = {}) => ({
  stroke: ink('quiet'),
  font: `${12 * letters()}px system-ui, sans-serif`,
  grid: { stroke: ink('line'), width: 1 },
  ticks: { stroke: ink('line'), width: 1 },
  ...more,
  ...(more.size && { size: more.size * letters() }),
});

/** Dashes and colours that tell series apart, by both. */
export const LINES = [
  { ink: 'one', dash: [] },
  { ink: 'two', dash: [6, 3] },
  { ink: 'three', dash: [2, 3] },
  { ink: 'four', dash: [8, 3, 2, 3] },
];
