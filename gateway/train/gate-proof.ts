import type { GateCheck, GateInput } from './gate-report.ts';
import { percent } from './paired.ts';

/** Greatest loss of accuracy that int8 may cost a candidate before it is refused. */
const MAX_INT8_GAP = 0.03;
/** Shares are compared to the window: a loss that is just allowed is not refused for its rounding. */
export const ROUNDING = 1e-9;

/** What every candidate is held to, whatever its task's kind: pinned windows, int8, and its boards' room. */
export function proofChecks({
  mustPass,
  quantisation,
  budgets,
}: Pick<GateInput, 'mustPass' | 'quantisation' | 'budgets'>): GateCheck[] {
  return [
    {
      name: 'must-pass',
      ok: mustPass.broken.length === 0,
      why: `${mustPass.total - mustPass.broken.length} of ${mustPass.total} pinned windows right`,
    },
    {
      name: 'int8',
      ok: quantisation.float - quantisation.int8 <= MAX_INT8_GAP + ROUNDING,
      why: `float ${percent(quantisation.float)}, int8 ${percent(quantisation.int8)}`,
    },
    ...budgets.map(({ board, bytes, limit }) => ({
      name: `budget ${board}`,
      ok: bytes <= limit,
      why: `${bytes} of ${limit} bytes`,
    })),
  ];
}
