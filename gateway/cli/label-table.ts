import type { LabelView } from '../calls.ts';
import { moment, table } from './io.ts';

/** What each source says of a window. */
export function voices({ sample, contradicted }: LabelView): string {
  const said = contradicted.map(
    ({ cls, source, trust, standing }) => `${source} ${cls} (trust ${trust}, ${standing})`,
  );
  return `${sample}: ${said.join(', ')}`;
}

/** Windows as a table. */
export function listLabels(labels: LabelView[]): string {
  if (labels.length === 0) return 'none yet';
  return table(
    ['sample', 'class', 'device said', 'source', 'at', 'raw', 'set aside'],
    labels.map((label) => [
      label.sample,
      label.cls ?? '-',
      label.predicted ?? '-',
      label.source ?? '-',
      moment(label.at),
      label.asked?.raw ?? '',
      label.quarantine ?? '',
    ]),
  );
}
