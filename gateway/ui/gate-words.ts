import type { GateReport } from '../train/gate-report.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const DECISIONS = {
  release: 'released',
  provisional: 'released on trial',
  refuse: 'refused',
} as const;

/**
 * A gate's report for people: decision and reason, every check, recall by class before and after, both
 * confusion matrices, what became of the labels.
 *
 * @param report as it is stored with a version; of an import there is none
 * @returns lines
 * @example gateLines(null)[0] // 'no gate decided: it was imported, or made by hand'
 */
export function gateLines(report: GateReport | { imported: unknown } | null): string[] {
  if (report === null || 'imported' in report) {
    return ['no gate decided: it was imported, or made by hand'];
  }
  const { decision, reason, evidence, checks, mustPass } = report;
  const [low, high] = evidence.interval;
  const before = evidence.champion === null ? '' : ` before ${percent(evidence.champion)},`;
  const lines = [
    `${DECISIONS[decision]}: ${reason}`,
    `accuracy:${before} now ${percent(evidence.candidate)} (95 %: ${percent(low)} to ${percent(high)}) on ${evidence.windows} windows, ${evidence.kind}`,
  ];
  if (mustPass.broken.length > 0)
    lines.push(`pinned windows broken: ${mustPass.broken.join(', ')}`);
  if (report.worstClass !== null) lines.push(`worst class: ${report.worstClass}`);
  lines.push(
    'checks:',
    ...checks.map(({ name, ok, why }) => `  ${ok ? 'ok' : 'NO'}  ${name}: ${why}`),
  );
  lines.push(...labelLines(report.labels ?? null));
  const { classes, confusion } = report;
  if (classes !== undefined && classes.length > 0 && confusion !== undefined) {
    const names = classes.map(({ name }) => name);
    const recall = (share: number | null): string => (share === null ? '-' : percent(share));
    lines.push('recall by class, before → now:');
    for (const { name, windows, champion, candidate } of classes) {
      lines.push(`  ${name}: ${recall(champion)} → ${recall(candidate)} of ${windows}`);
    }
    if (confusion.champion !== null) lines.push(...matrix('before', names, confusion.champion));
    lines.push(...matrix('now', names, confusion.candidate));
  }
  return lines;
}

function labelLines(labels: GateReport['labels']): string[] {
  if (labels === null) return [];
  const { given, trusted, grounds, groups } = labels;
  return [
    `labels: ${trusted} of ${given} taught and judged`,
    ...grounds.map(({ device, windows, known, inForce }) => {
      const so = inForce
        ? 'earlier labels judge new ones'
        : 'it looks new: earlier labels say nothing';
      return `  ${device}: ${percent(known)} of ${windows} windows look as before, ${so}`;
    }),
    ...groups
      .filter(({ contradicted, distrusted }) => contradicted > 0 || distrusted)
      .map(({ name, labels: n, contradicted, distrusted }) => {
        const then = distrusted ? '; none of its labels is used' : '';
        return `  ${name}: ${contradicted} of ${n} labels contradict earlier ones that look alike${then}`;
      }),
  ];
}

/** Rows are what it was, columns what was said; the last column is for no answer. */
function matrix(
  when: string,
  names: readonly string[],
  rows: readonly (readonly number[])[],
): string[] {
  const width = Math.max(4, ...rows.flat().map((n) => String(n).length + 1));
  const label = Math.max(...names.map(({ length }) => length));
  return [
    `confusion ${when} (rows: what it was; columns in the same order, then no answer):`,
    ...rows.map(
      (row, i) =>
        `  ${(names[i] ?? '').padEnd(label)}${row.map((n) => String(n).padStart(width)).join('')}`,
    ),
  ];
}
