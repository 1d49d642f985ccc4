import { at, get, post } from '../api.js';
import { el } from '../dom.js';
import { moment } from '../figures.js';
import { may } from '../roles.js';
import { link } from '../route.js';
import { now, onEvent, refresh, state } from '../state.js';
import { button } from '../widgets/button.js';
import { fact } from '../widgets/card.js';
import { confirm } from '../widgets/confirm.js';
import { gateReport } from '../widgets/gate.js';
import { lineage, stageBadge } from '../widgets/lineage.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { isMoving } from '../widgets/rollout.js';
import { attempt } from '../widgets/toast.js';
import { shortVersion } from '../words.js';

/**
 * @import { Format } from '../../formats.ts'
 * @import { ExportView, ModelView } from '../../views/model.ts'
 * @import { Route } from '../route.js'
 */

/** @param {Route} route */
export const title = ({ item }) => (item === null ? 'Models' : `Model ${shortVersion(item)}`);

/** @type {{ format: Format, type: string, ending: string }[]} */
const FILES = [
  { format: 'tflite', type: 'model/tflite', ending: 'tflite' },
  { format: 'onnx', type: 'model/onnx', ending: 'onnx' },
  { format: 'image', type: 'application/octet-stream', ending: 'bin' },
];

/**
 * The family of models, and one of them with everything that the gate said of it.
 *
 * @param {HTMLElement} root
 * @param {Route} route
 * @param {AbortSignal} signal
 */
export function open(root, { item, query }, signal) {
  const scopes = el('select', { id: 'scope', onchange: () => draw() });
  const tree = el('div');
  const detail = el('section', { class: 'card detail', 'aria-label': 'The chosen model' });
  const place = el('div', {}, loadingNote('the models', 4));
  /** @type {ModelView[]} */
  let models = [];
  root.append(el('h1', {}, 'Models'), place);

  function draw() {
    const wanted = scopes.value;
    const shown = wanted === '' ? models : withParents(models, wanted);
    const chosen =
      models.find(({ version }) => item !== null && version.startsWith(item)) ??
      (item === null ? (models.find(({ stage }) => stage === 'champion') ?? models[0]) : undefined);
    tree.replaceChildren(lineage(shown, chosen?.version ?? null, now()) ?? '');
    detail.replaceChildren(
      ...(chosen
        ? detailOf(chosen, load)
        : [
            emptyNote(
              `No model begins with '${item}'.`,
              el('a', { href: link('models') }, 'See the family.'),
            ),
          ]),
    );
  }

  async function load() {
    try {
      models = await get('/models');
      if (signal.aborted) return;
      if (models.length === 0) {
        place.replaceChildren(
          emptyNote(
            'No model yet.',
            'The first one is trained from recordings or labels, or comes by ',
            el('code', {}, 'npx whetstone import'),
            '.',
          ),
        );
        return;
      }
      const names = [...new Set(models.map(({ scope }) => scope))].sort();
      const before = scopes.value || (query.get('scope') ?? '');
      scopes.replaceChildren(
        el('option', { value: '' }, 'all scopes'),
        ...names.map((name) => el('option', { value: name, selected: name === before }, name)),
      );
      if (place.firstElementChild?.className !== 'family') {
        place.replaceChildren(
          el(
            'div',
            { class: 'family' },
            el(
              'section',
              { 'aria-label': 'Lineage' },
              el('label', { for: 'scope' }, 'Of', scopes),
              tree,
            ),
            detail,
          ),
        );
      }
      draw();
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(errorNote(error, load));
    }
  }
  onEvent(signal, ({ kind }) => {
    if (/^(model|rollout)\./.test(kind)) load();
  });
  load();
}

/**
 * Those of a scope, and the line of parents that they come from.
 *
 * @param {ModelView[]} models
 * @param {string} scope
 */
function withParents(models, scope) {
  const byVersion = new Map(models.map((model) => [model.version, model]));
  /** @type {Set<ModelView>} */
  const kept = new Set();
  for (const last of models.filter((model) => model.scope === scope)) {
    /** @type {ModelView | undefined} */
    let one = last;
    while (one !== undefined && !kept.has(one)) {
      kept.add(one);
      one = one.parent === null ? undefined : byVersion.get(one.parent);
    }
  }
  return models.filter((model) => kept.has(model));
}

/** @param {ModelView} model @param {() => void} again asks for the models anew */
function detailOf(model, again) {
  const { version, parent, scope, stage, rollout, release, rung, createdAt, parts, gate } = model;
  const short = shortVersion(version);
  const role = state.me?.role ?? null;
  const deeds = [];
  const isUnderWay = rollout !== null && isMoving(rollout);
  if (isUnderWay) deeds.push(el('a', { href: link('rollouts') }, 'See its rollout'));
  if (may(role, 'operator') && stage !== 'champion' && !isUnderWay) {
    deeds.push(
      button(
        'Promote',
        async () => {
          const said = await confirm({
            ...{ title: `Promote ${short}?`, act: 'Promote' },
            text: `It becomes the champion of ${scope} and goes out: to a canary first, then to the rest.`,
          });
          if (said === null) return;
          await attempt(
            () => post(`/models/${version}/promote`),
            `${short} sets out; see Rollouts`,
          );
          refresh(0);
          again();
        },
        { kind: 'primary' },
      ),
    );
  }
  if (may(role, 'operator') && stage === 'champion' && parent !== null) {
    deeds.push(
      button('Roll back', async () => {
        const said = await confirm({
          ...{ title: `Roll ${short} back?`, act: 'Roll back', danger: true },
          text: `Devices of ${scope} go back to what they ran before.`,
        });
        if (said === null) return;
        await attempt(
          () => post('/rollback', { version }),
          `${short} is being taken back; see Rollouts`,
        );
        refresh(0);
        again();
      }),
    );
  }
  return [
    el('div', { class: 'row' }, el('h2', {}, short), stageBadge(model)),
    el(
      'dl',
      { class: 'facts' },
      ...fact('Serves', scope),
      ...fact(
        'Parent',
        parent === null
          ? 'none: the first'
          : el('a', { href: link('models', parent) }, shortVersion(parent)),
      ),
      ...fact('Made anew', rung === null ? 'imported' : rung),
      ...fact('Release', release === 0 ? 'never released' : String(release)),
      ...fact('Made', moment(createdAt)),
      ...fact('Version', el('code', { class: 'hash' }, version)),
    ),
    el(
      'div',
      { class: 'row' },
      ...deeds,
      ...FILES.map((file) => button(`Export ${file.format}`, () => download(version, file))),
    ),
    el('h3', {}, 'What the gate said'),
    gateReport(gate, parts),
  ];
}

/** @param {string} version @param {FILES[number]} as */
function download(version, { format, type, ending }) {
  return attempt(
    async () => {
      /** @type {ExportView} */
      const { file } = await get(`/models/${at(version)}/export`, { format });
      const data = Uint8Array.from(atob(file), (char) => char.charCodeAt(0));
      const url = URL.createObjectURL(new Blob([data], { type }));
      el('a', { href: url, download: `${version.slice(0, 8)}.${ending}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    },
    `${shortVersion(version)} as ${format}`,
  );
}
