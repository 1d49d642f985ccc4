import { el } from '../dom.js';
import { bytes, finePercent, percent } from '../figures.js';
import { gateLines } from '../gate-words.js';
import { fact } from './card.js';
import { badge } from './mark.js';
import { table } from './table.js';

/**
 * @import { GateReport } from '../../train/gate-report.ts'
 * @import { ModelView } from '../../views/model.ts'
 */

/** @type {Record<GateReport['decision'], [tone: string, sign: string, word: string]>} */
const DECISIONS = {
  release: ['good', '✓', 'released'],
  provisional: ['warn', '◐', 'released on trial'],
  refuse: ['bad', '✕', 'refused'],
};

/**
 * A gate's report, readable: what was decided and why, every check, each class before and after.
 *
 * @param {ModelView['gate']} report as stored with the version
 * @param {ModelView['parts']} parts of the version
 */
export function gateReport(report, parts) {
  const lines = gateLines(report);
  if (report === null || 'imported' in report) {
    return el('div', {}, el('p', {}, sentenceCase(lines[0])), sizes(parts, []));
  }
  const { evidence, classes = [], confusion, mustPass, quantisation } = report;
  const [tone, sign, word] = DECISIONS[report.decision];
  const [low, high] = evidence.interval;
  const isFirst = evidence.champion === null;
  const names = classes.map(({ name }) => name);
  return el(
    'div',
    { class: 'gate' },
    el('p', { class: 'decision' }, badge(tone, word, { sign }), ` ${report.reason}`),
    el(
      'dl',
      { class: 'facts' },
      ...fact(
        'Accuracy',
        `${evidence.champion === null ? '' : `${percent(evidence.champion)} before, `}${percent(evidence.candidate)} now (${Math.round(100 * low)} to ${percent(high)}) on ${evidence.windows} windows, ${evidence.kind}`,
      ),
      ...fact('Worst class', report.worstClass ?? 'none: no labelled windows'),
      ...fact(
        'Must-pass',
        mustPass.total === 0
          ? 'no window is pinned'
          : `${mustPass.total - mustPass.broken.length} of ${mustPass.total} pinned windows right${mustPass.broken.length > 0 ? `; broken: ${mustPass.broken.join(', ')}` : ''}`,
      ),
      ...fact(
        'Float to int8',
        `${finePercent(quantisation.float)} to ${finePercent(quantisation.int8)} right`,
      ),
    ),
    sizes(parts, report.budgets),
    part(
      'Checks',
      table(
        ['', 'Check', 'Why'],
        report.checks.map(({ name, ok, why }) => [
          badge(ok ? 'good' : 'bad', ok ? 'passed' : 'failed', { sign: ok ? '✓' : '✕' }),
          name,
          why,
        ]),
        'checks of the gate',
      ),
    ),
    classes.length === 0
      ? null
      : part(
          'Each class: share found again',
          table(
            ['Class', ...(isFirst ? [] : ['Before']), 'Now', 'Windows'],
            classes.map(({ name, champion, candidate, windows }) => [
              name === report.worstClass ? el('b', {}, `${name} (worst)`) : name,
              ...(isFirst ? [] : [percent(champion)]),
              percent(candidate),
              String(windows),
            ]),
            'recall of each class',
          ),
        ),
    names.length === 0 || confusion === undefined
      ? null
      : part(
          'What was taken for what',
          el(
            'div',
            { class: 'pair' },
            ...(confusion.champion === null ? [] : [matrix('Before', names, confusion.champion)]),
            matrix('Now', names, confusion.candidate),
          ),
        ),
    report.regimes.length === 0
      ? null
      : part(
          'Earlier worlds that must not be forgotten',
          table(
            ['Of', 'Before', 'Now', 'Windows'],
            report.regimes.map((r) => [
              r.name,
              percent(r.champion),
              percent(r.candidate),
              String(r.windows),
            ]),
            'accuracy on earlier regimes',
          ),
        ),
    el(
      'details',
      {},
      el('summary', {}, 'As text'),
      el('pre', { tabindex: 0, 'aria-label': 'the report as text' }, lines.join('\n')),
    ),
  );
}

/** @param {string} text */
const sentenceCase = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
/** @param {string} title @param {...Node} children */
const part = (title, ...children) => el('section', {}, el('h4', {}, title), ...children);

/** @param {ModelView['parts']} parts @param {GateReport['budgets']} budgets */
function sizes(parts, budgets) {
  const total = parts.reduce((sum, one) => sum + one.bytes, 0);
  return el(
    'dl',
    { class: 'facts' },
    ...fact(
      'Size',
      `${bytes(total)}: ${parts.map((one) => `${one.part} ${bytes(one.bytes)}`).join(', ')}`,
    ),
    ...budgets.flatMap(({ board, bytes: needed, limit }) =>
      fact(
        `Fits ${board}`,
        `${needed.toLocaleString('en')} of ${limit.toLocaleString('en')} bytes`,
      ),
    ),
  );
}

/**
 * Rows are what it was, columns what was said. The deeper the colour, the greater the share of its row.
 *
 * @param {string} when
 * @param {string[]} names of the classes
 * @param {number[][]} rows
 */
function matrix(when, names, rows) {
  const said = [...names, 'no answer'].slice(0, rows[0]?.length ?? 0);
  return el(
    'div',
    {
      class: 'scrolls',
      tabindex: 0,
      role: 'region',
      'aria-label': `confusion, ${when.toLowerCase()}`,
    },
    el(
      'table',
      { class: 'matrix' },
      el('caption', {}, `${when}: rows what it was, columns what was said`),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('td'),
          ...said.map((name) => el('th', { scope: 'col', title: name }, name.slice(0, 10))),
        ),
      ),
      el(
        'tbody',
        {},
        ...rows.map((row, i) => {
          const sum = row.reduce((a, b) => a + b, 0);
          const cells = row.map((n, j) => {
            const deep = sum === 0 ? 0 : Math.round((4 * n) / sum);
            const kind = i === j ? 'hit' : 'miss';
            return el('td', { class: n === 0 ? 'zero' : `${kind} deep-${deep}` }, String(n));
          });
          return el('tr', {}, el('th', { scope: 'row' }, names[i]), ...cells);
        }),
      ),
    ),
  );
}
