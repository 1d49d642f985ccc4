import { el } from '../dom.js';
import { count, moment, percent, timeOfDay } from '../figures.js';
import { axis, plot } from './plot.js';

/**
 * @import uPlot from '/uplot.js'
 * @import { HistoryMark, HistoryPoint, HistoryView } from '../../views/history.ts'
 * @import { Ink } from './plot.js'
 */

/** @type {Record<HistoryMark['kind'], { ink: string, sign: string, word: string }>} */
const MARKS = {
  alarm: { ink: 'bad', sign: '▲', word: 'alarm' },
  'alarm-ended': { ink: 'good', sign: '△', word: 'alarm over' },
  update: { ink: 'one', sign: '⬆', word: 'update' },
  rollback: { ink: 'warn', sign: '↩', word: 'taken back' },
  labels: { ink: 'quiet', sign: '✎', word: 'labels' },
};

/**
 * Vertical lines where something happened, each with its sign at the top.
 *
 * @param {() => HistoryMark[]} marks
 * @param {Ink} ink
 * @returns {uPlot.Plugin}
 */
const marksPlugin = (marks, ink) => ({
  hooks: {
    draw: (u) => {
      const { left, top, width, height } = u.bbox;
      const { ctx } = u;
      ctx.save();
      ctx.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = 'center';
      for (const { at, kind } of marks()) {
        if (kind === 'labels') continue;
        const x = Math.round(u.valToPos(at / 1000, 'x', true));
        if (x < left || x > left + width) continue;
        const { ink: name, sign } = MARKS[kind];
        ctx.strokeStyle = ink(name);
        ctx.fillStyle = ink(name);
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(x, top + 16 * devicePixelRatio);
        ctx.lineTo(x, top + height);
        ctx.stroke();
        ctx.fillText(sign, x, top + 13 * devicePixelRatio);
      }
      ctx.restore();
    },
  },
});

/**
 * Accuracy, its estimate and drift over time, with alarms and updates marked; below it the same marks
 * as a list, for who cannot see the drawing.
 *
 * @param {AbortSignal} signal ends it
 */
export function historyPlot(signal) {
  /** @type {HistoryMark[]} */
  let marks = [];
  /** @type {HistoryPoint[]} */
  let points = [];
  const list = el('ol', { class: 'marks' });
  const more = el('details', {}, el('summary', {}, 'What happened, as a list'), list);
  const base = el('p', { class: 'quiet' });
  const drawing = plot(signal, {
    ...{ label: 'no history yet', height: 260 },
    options: (ink) => ({
      legend: { show: true, live: true },
      cursor: { drag: { x: false, y: false } },
      plugins: [marksPlugin(() => marks, ink)],
      scales: {
        y: { range: [0, 1] },
        drift: { range: (_, _min, max) => [0, Math.max(1, max ?? 1)] },
      },
      axes: [
        axis(ink, {
          size: 36,
          space: 80,
          values: (_, all) => all.map((s) => whenOf(s * 1000, all)),
        }),
        axis(ink, { size: 52, values: (_, all) => all.map(percent) }),
        axis(ink, { size: 44, side: 1, scale: 'drift', grid: { show: false } }),
      ],
      series: [
        { value: (_, s) => (s === null ? '–' : moment(s * 1000)) },
        {
          ...series('measured', ink('one'), [], (v, i) =>
            v === null || i === null ? '–' : `${percent(v)} of ${count(points[i].labels, 'label')}`,
          ),
          // each is of few labels: a line between them would say more than is known
          ...{ paths: () => null, points: { show: true, size: 7, fill: ink('one') } },
        },
        series('estimated', ink('two'), [6, 3], percent),
        {
          ...series('drift (right)', ink('three'), [2, 3], (v) => v?.toFixed(2) ?? '–'),
          scale: 'drift',
        },
      ],
    }),
  });
  return {
    box: el('div', {}, drawing.box, base, more),
    /** @param {HistoryView} history */
    show(history) {
      marks = history.marks;
      points = history.points;
      /** @param {'accuracy' | 'estimated' | 'drift'} name */
      const column = (name) => points.map((point) => point[name]);
      /** @param {'windows' | 'labels'} name */
      const sum = (name) => points.reduce((all, point) => all + point[name], 0);
      const windows = sum('windows').toLocaleString('en');
      const labels = sum('labels').toLocaleString('en');
      base.textContent = `${windows} windows, ${labels} labels in this time. Measured: of labelled windows. Estimated: what margins let expect. Drift: 0 as always, 1 an alarm.`;
      drawing.show(
        [
          points.map(({ at }) => at / 1000),
          column('accuracy'),
          column('estimated'),
          column('drift'),
        ],
        `Accuracy and drift over time, ${points.length} points, ${windows} windows, ${labels} labels, ${marks.length} marks`,
        { anew: true },
      );
      list.replaceChildren(
        ...marks
          .toReversed()
          .map(({ at, kind, text }) =>
            el('li', {}, el('time', {}, moment(at)), ` ${MARKS[kind].word}: ${text}`),
          ),
      );
      more.hidden = marks.length === 0;
    },
  };
}

/**
 * @param {string} label
 * @param {string} stroke
 * @param {number[]} dash
 * @param {(value: number | null, index: number | null) => string} value in the legend
 * @returns {uPlot.Series}
 */
const series = (label, stroke, dash, value) => ({
  ...{ label, stroke, dash, width: 2, spanGaps: true, points: { show: true, size: 4 } },
  value: (_, v, __, i) => value(v, i),
});

/**
 * A time below the plot: with its day where several are shown, to the second where minutes would repeat.
 *
 * @param {number} at ms since 1970
 * @param {number[]} all those of the axis, s since 1970
 */
function whenOf(at, all) {
  const days = (all[all.length - 1] - all[0]) / 86_400;
  const text = moment(at);
  if (days > 0.9 && text.includes(' ')) return text.slice(5, 16);
  return timeOfDay(at).slice(0, all[1] - all[0] < 60 ? 8 : 5);
}
