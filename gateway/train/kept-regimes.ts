import type { Judged } from './attempt.ts';
import type { Regime } from './gate-report.ts';
import type { LabelAudit } from './label-audit.ts';
import type { RetrainInput } from './retrain-input.ts';
import type { Example } from './rungs.ts';

/**
 * What a candidate of classes may not forget, with what it says of it and what its champion said.
 *
 * @param newcomers classes that the champion does not know
 * @param judged the candidate, by cross-validation together with what is rehearsed where there are newcomers
 * @param spared devices that do not get the release
 * @returns regimes that have windows
 */
export function keptRegimes(
  { data, championSaid, regimes, isShared }: RetrainInput,
  audit: LabelAudit | null,
  newcomers: readonly number[],
  { evidence, judging, answers, candidate, champion }: Judged,
  spared: ReadonlySet<string>,
): Regime[] {
  const { fresh, old } = data;
  const grows = newcomers.length > 0;
  const kept: Regime[] = [];
  const keep = (
    name: string,
    isPresent: boolean,
    examples: readonly Example[],
    said: readonly number[] = examples.map(candidate),
  ): void => {
    if (examples.length === 0) return;
    const truth = examples.map(({ cls }) => cls);
    const before = examples.map((e) => champion?.(e) ?? -1);
    kept.push({ name, isPresent, truth, champion: before, candidate: said });
  };

  // what taught the champion judges nothing, but shows what becomes of the other classes
  const own = grows ? judging.filter((i) => championSaid[i]! < 0) : [];
  if (isShared || audit?.inForce === true || (grows && own.length === 0)) {
    for (const { name, examples } of regimes) keep(name, false, examples);
  }
  for (const { device, inForce, sure } of audit?.grounds ?? []) {
    // a new gesture may look like an old one from afar: memory judges it, not what is seen now
    if (inForce && !grows && !spared.has(device)) keep(`what ${device} saw before`, true, sure);
  }
  if (grows && evidence.kind === 'cross-validated') {
    const known = [...old.keys()].filter((j) => !newcomers.includes(old[j]!.cls));
    keep(
      'what is rehearsed',
      false,
      known.map((j) => old[j]!),
      known.map((j) => answers[fresh.length + j]!),
    );
  }
  keep(
    'labels before',
    false,
    own.map((i) => fresh[i]!),
    own.map((i) => answers[i]!),
  );
  return kept;
}
