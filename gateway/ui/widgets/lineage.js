import { el } from '../dom.js';
import { ago, bytes, percent } from '../figures.js';
import { link } from '../route.js';
import { shortVersion, standing } from '../words.js';
import { badge } from './mark.js';

/** @import { ModelView } from '../../views/model.ts' */

/** @type {Record<string, [tone: string, sign: string] | undefined>} */
const STAGES = {
  ...{ champion: ['good', '★'], candidate: ['plain', '○'] },
  ...{ rejected: ['bad', '✕'], retired: ['plain', '·'] },
};

/** Where a version stands. @param {Pick<ModelView, 'stage' | 'rollout'>} model */
export const stageBadge = (model) => {
  const [tone, sign] = STAGES[model.stage] ?? ['warn', '◐'];
  return badge(tone, standing(model), { sign });
};

/**
 * The family of models: parents above children, those of one scope together.
 *
 * @param {ModelView[]} models
 * @param {string | null} chosen version that is shown beside it
 * @param {number} now
 */
export function lineage(models, chosen, now) {
  const known = new Set(models.map(({ version }) => version));
  const children = Map.groupBy(models, ({ parent }) =>
    parent !== null && known.has(parent) ? parent : null,
  );
  /** @type {(parent: string | null) => HTMLElement | null} */
  const branch = (parent) => {
    const born = (children.get(parent) ?? []).toSorted((a, b) => a.createdAt - b.createdAt);
    if (born.length === 0) return null;
    return el(
      'ul',
      parent === null
        ? { class: 'tree', 'aria-label': 'the models, parents before their children' }
        : {},
      ...born.map((model) =>
        el('li', {}, node(model, model.version === chosen, now), branch(model.version)),
      ),
    );
  };
  return branch(null);
}

/** @param {ModelView} model @param {boolean} isChosen @param {number} now */
function node(model, isChosen, now) {
  const { version, scope, rung, parts, gate, createdAt } = model;
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  const evidence = gate !== null && 'evidence' in gate ? gate.evidence : null;
  return el(
    'a',
    { class: 'model', href: link('models', version), 'aria-current': isChosen ? 'true' : null },
    el('span', { class: 'row' }, el('b', {}, shortVersion(version)), stageBadge(model)),
    el('span', {}, `for ${scope}`),
    el(
      'span',
      { class: 'quiet' },
      [
        rung === null ? 'imported' : `rung ${rung}`,
        bytes(total),
        ...(evidence ? [`${percent(evidence.candidate)} on ${evidence.windows} windows`] : []),
        ago(createdAt, now),
      ].join(' · '),
    ),
  );
}
