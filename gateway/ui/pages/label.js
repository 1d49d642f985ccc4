import { el } from '../dom.js';
import { ago, confidence, count } from '../figures.js';
import { bindKeys } from '../keys.js';
import { labelQueue } from '../label-queue.js';
import { may } from '../roles.js';
import { adjust } from '../route.js';
import { now, onWindow, state, watch } from '../state.js';
import { button } from '../widgets/button.js';
import { card } from '../widgets/card.js';
import { consequence } from '../widgets/consequence.js';
import { emptyNote, errorNote, loadingNote } from '../widgets/note.js';
import { signalPlot } from '../widgets/signal.js';
import { attempt, toast } from '../widgets/toast.js';

/**
 * @import { LabelView } from '../../views/label.ts'
 * @import { Status } from '../../views/status.ts'
 * @import { SignalView } from '../../views/window.ts'
 * @import { Binding } from '../keys.js'
 * @import { Route } from '../route.js'
 */

export const title = () => 'Label';

/** Keys of classes: digits, then letters that mean nothing else here. */
const KEYS = [...'123456789', ...'abcdefhilmopqrvwxyz'];
/** How often it is looked whether a device has sent its samples by now. */
const LOOK_MS = 1000;
/** How often the gateway is asked for windows while none waits and new ones come. */
const ASK_MS = 3000;

/**
 * The most useful windows, one at a time: look at it, press its key.
 *
 * @param {HTMLElement} root
 * @param {Route} route
 * @param {AbortSignal} signal
 */
export function open(root, { query }, signal) {
  const role = state.me?.role ?? null;
  root.append(el('h1', {}, 'Label'));
  if (!may(role, 'labeller')) {
    root.append(
      emptyNote(
        'Your role may look, and not label.',
        'An admin gives out tokens with the role labeller.',
      ),
    );
    return;
  }
  const place = el('div', {}, loadingNote('the gateway', 2));
  root.append(place);
  let begun = false;
  watch(signal, () => {
    if (begun || state.status === null) return;
    begun = true;
    begin(place, state.status, query.get('scope') ?? 'fleet', signal);
  });
}

/**
 * @param {HTMLElement} place
 * @param {Status} status
 * @param {string} wanted the scope that the address names
 * @param {AbortSignal} signal
 */
function begin(place, status, wanted, signal) {
  const { classes, devices } = status;
  const scopes = el(
    'select',
    { id: 'scope' },
    el('option', { value: 'fleet' }, 'the whole fleet'),
    ...devices
      .toSorted(
        (a, b) =>
          Number(a.alarm === null) - Number(b.alarm === null) ||
          a.id.localeCompare(b.id, 'en', { numeric: true }),
      )
      .map(({ id, alarm }) =>
        el(
          'option',
          { value: `device:${id}`, selected: wanted === `device:${id}` },
          alarm ? `${id} (alarm)` : id,
        ),
      ),
  );
  const work = el('div');
  let ends = new AbortController();
  const start = () => {
    ends.abort();
    ends = new AbortController();
    work.replaceChildren();
    label(
      work,
      { scope: scopes.value, classes, synthetic: status.synthetic },
      AbortSignal.any([signal, ends.signal]),
    );
  };
  scopes.addEventListener('change', () => {
    adjust({ scope: scopes.value });
    scopes.blur();
    start();
  });
  place.replaceChildren(
    el('div', { class: 'controls' }, el('label', { for: 'scope' }, 'Windows of', scopes)),
    work,
  );
  start();
}

/**
 * @param {HTMLElement} root
 * @param {{ scope: string, classes: string[], synthetic: boolean }} about
 * @param {AbortSignal} signal
 */
function label(root, { scope, classes, synthetic }, signal) {
  const queue = labelQueue(scope);
  const progress = el('p', { class: 'progress', role: 'status' });
  const drawing = signalPlot(signal, { height: innerHeight < 900 && innerWidth < 640 ? 170 : 260 });
  const about = el('p', { class: 'quiet' });
  const guess = el('p', { class: 'guess' });
  const stage = el('div', { class: 'stage' });
  const choices = el('div', { class: 'choices', role: 'group', 'aria-label': 'What was it?' });
  const undo = button('Undo', takeBack, { key: 'u' });
  const skip = button('Skip', pass, { key: 's' });
  const fresh = button('New class …', newClass, { key: 'n' });
  const answer = answerOf(classes, give, choices);
  const panel = el(
    'section',
    { class: 'card label', 'aria-labelledby': 'what-title' },
    el('h2', { id: 'what-title' }, 'What was this?'),
    stage,
    guess,
    choices,
    el('div', { class: 'row' }, skip, undo, classes.length === 0 ? null : fresh),
    progress,
  );
  root.append(panel, card('What it did', consequence(signal, scope)));
  /** the window that can be labelled now @type {LabelView | null} */
  let shown = null;

  bindKeys(signal, {
    ...answer.keys,
    s: { does: 'skip this window', run: pass },
    Space: { does: 'skip this window', run: pass, hidden: true },
    u: { does: 'take the last label back', run: takeBack },
    Backspace: { does: 'take the last label back', run: takeBack, hidden: true },
    n: { does: 'a class that is not there', run: newClass },
  });

  /** @param {string} cls */
  function give(cls) {
    if (shown === null) return;
    const { sample } = shown;
    shown = null;
    attempt(async () => {
      const labelled = queue.label(cls);
      next();
      try {
        await labelled;
      } catch (error) {
        next();
        throw error;
      }
      drawProgress();
      if (queue.waiting === 0) next();
    });
    panel.dataset.last = `${sample} ${cls}`;
  }
  function pass() {
    if (queue.first === undefined) return;
    queue.skip();
    next();
  }
  async function takeBack() {
    const taken = await attempt(() => queue.undo());
    if (taken === undefined) return;
    toast(`'${taken.given}' of ${taken.sample} is withdrawn`);
    next();
  }
  function newClass() {
    toast(
      'A class belongs to the task: write its name behind the others in the task file (classes), give the file to the gateway (--task FILE) and start it again. What is stored keeps its meaning; five labels are a beginning.',
      'info',
    );
  }

  function drawProgress() {
    const left = count(queue.waiting, 'window');
    progress.textContent = `${count(queue.done, 'label')} given here · ${queue.waiting === 0 ? 'none' : left} waiting${queue.outOfReach > 0 ? ` · ${queue.outOfReach} no device holds any more` : ''}`;
    undo.disabled = queue.done === 0;
    skip.disabled = queue.first === undefined;
    answer.enable(queue.first !== undefined);
  }

  async function next() {
    shown = null;
    drawProgress();
    if (queue.first === undefined) {
      stage.replaceChildren(loadingNote('the most useful windows', 1));
      guess.textContent = '';
      try {
        await queue.fill();
      } catch (error) {
        if (!signal.aborted) stage.replaceChildren(errorNote(error, next));
        return;
      }
      if (signal.aborted) return;
      drawProgress();
    }
    if (queue.first === undefined) {
      const again = el('button', { type: 'button', onclick: next }, 'Look again');
      stage.replaceChildren(
        emptyNote(
          queue.done > 0 ? 'That was all for now.' : 'No window waits for a label.',
          queue.missing === null
            ? 'New ones come as devices see what they are unsure of. '
            : `${queue.missing[0].toUpperCase()}${queue.missing.slice(1)}. `,
          again,
        ),
      );
      return;
    }
    await look();
  }

  async function look() {
    const one = queue.first;
    if (one === undefined) return;
    /** @type {SignalView} */
    let window;
    try {
      window = await queue.look(one);
    } catch (error) {
      if (!signal.aborted && queue.first === one) stage.replaceChildren(errorNote(error, next));
      return;
    }
    if (signal.aborted || queue.first !== one) return;
    about.textContent = `${one.device} · ${ago(window.at, now())} · window ${window.id}${synthetic ? ' · synthetic motion' : ''}`;
    guess.replaceChildren(
      'The model said ',
      el('b', {}, window.predicted === null ? 'nothing' : String(window.predicted)),
      window.confidence === null ? '' : `, ${confidence(window.confidence)}`,
      '. It may be wrong: that is why you are asked.',
    );
    if (window.signal !== null) {
      stage.replaceChildren(drawing.box, about);
      drawing.show(window.signal, `the window ${one.sample}`);
      shown = one;
      panel.dataset.sample = one.sample;
      if (queue.second !== undefined) queue.look(queue.second).catch(() => {});
      return;
    }
    delete panel.dataset.sample;
    if (one.asked?.raw === 'gone') {
      queue.drop();
      return next();
    }
    stage.replaceChildren(
      loadingNote(
        `the samples of ${one.sample} from ${one.device}: it sends them when it is next heard`,
        1,
      ),
      about,
    );
  }

  /** A device sends what was asked for when it can: look again, and try the next one meanwhile. */
  const looking = setInterval(() => {
    if (shown === null && queue.first !== undefined) look();
  }, LOOK_MS);
  signal.addEventListener('abort', () => clearInterval(looking));
  /** New windows may be worth a label: where none waits, it is asked again, in silence. */
  let askedAt = Date.now();
  async function askAgain() {
    if (Date.now() - askedAt < ASK_MS) return;
    askedAt = Date.now();
    await queue.fill().catch(() => {}); // the frame says that the gateway is not reached
    if (!signal.aborted && queue.first !== undefined && shown === null) next();
  }
  onWindow(signal, ({ device }) => {
    if (shown !== null) return;
    if (queue.first === undefined) askAgain();
    else if (queue.first.device === device) look();
  });
  next();
}

/**
 * How an answer is given: a key for each class, or a number where a value is measured.
 *
 * @param {string[]} classes
 * @param {(cls: string) => void} give
 * @param {HTMLElement} box
 * @returns {{ keys: Record<string, Binding>, enable: (is: boolean) => void }}
 */
function answerOf(classes, give, box) {
  if (classes.length === 0) {
    const field = el('input', { id: 'value', type: 'number', step: 'any', required: true });
    const form = el(
      'form',
      { class: 'controls' },
      el('label', { for: 'value' }, 'Value', field),
      el('button', { class: 'primary' }, 'That it was'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      give(field.value);
      field.value = '';
    });
    box.append(form);
    return {
      keys: {},
      enable(is) {
        field.disabled = !is;
      },
    };
  }
  const buttons = classes.map((cls, i) =>
    button(cls, () => give(cls), { key: KEYS[i] ?? '', kind: 'choice' }),
  );
  box.append(...buttons);
  return {
    keys: Object.fromEntries(
      classes
        .slice(0, KEYS.length)
        .map((cls, i) => [KEYS[i], { does: `it was '${cls}'`, run: () => give(cls) }]),
    ),
    enable(is) {
      for (const one of buttons) one.disabled = !is;
    },
  };
}
