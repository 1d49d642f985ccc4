import { at, get } from '../api.js';
import { el } from '../dom.js';
import { ago, confidence, logits, moment, timeOfDay } from '../figures.js';
import { now, onWindow } from '../state.js';
import { shortVersion } from '../words.js';
import { emptyNote, errorNote } from './note.js';
import { signalPlot } from './signal.js';

/** @import { SignalView, WindowView } from '../../views/window.ts' */

const SHOWN = 12;

/**
 * The newest windows of a device as they come: the signal of the newest raw one, and what was said of
 * each.
 *
 * @param {AbortSignal} signal ends it
 * @param {string} device
 */
export function liveWindows(signal, device) {
  /** newest first @type {WindowView[]} */
  let windows = [];
  /** id of the window whose signal was asked for @type {string | null} */
  let asked = null;
  /** @type {WindowView | null} */
  let drawn = null;
  const what = el('p', { class: 'now-said', role: 'status', 'aria-live': 'off' });
  const drawing = signalPlot(signal, { height: 200 });
  const noSignal = el('p', { class: 'quiet' });
  const list = el('ol', { class: 'predictions', 'aria-label': 'Newest windows, the newest first' });
  const box = el('div', {}, what, drawing.box, noSignal, list);
  drawing.box.hidden = true;

  function draw() {
    const [newest] = windows;
    if (newest === undefined) {
      what.textContent = '';
      list.replaceChildren();
      noSignal.replaceChildren(
        emptyNote(
          'No window yet.',
          'The device sends one whenever its sensor has something to say.',
        ),
      );
      return;
    }
    what.replaceChildren(
      el('strong', {}, said(newest.predicted)),
      el(
        'span',
        { class: 'quiet' },
        ` ${[confidence(newest.confidence), ago(newest.at, now())].filter(Boolean).join(', ')}`,
      ),
    );
    list.replaceChildren(
      ...windows
        .slice(0, SHOWN)
        .map((one) =>
          el(
            'li',
            { 'data-window': one.id, class: one.quarantine ? 'set-aside' : null },
            el('time', { title: moment(one.at) }, timeOfDay(one.at)),
            el('b', {}, said(one.predicted)),
            el(
              'span',
              { class: 'quiet' },
              one.confidence === null ? `margin ${logits(one.score)}` : confidence(one.confidence),
            ),
            one.label === null
              ? null
              : el(
                  'span',
                  { class: one.label === said(one.predicted) ? 'good-text' : 'bad-text' },
                  `was ${one.label}`,
                ),
            one.quarantine === null
              ? null
              : el('span', { class: 'bad-text' }, `set aside: ${one.quarantine}`),
            one.raw
              ? el('span', { class: 'quiet', title: 'its samples are stored' }, '∿ raw')
              : null,
            one.version === null
              ? null
              : el('span', { class: 'quiet hash' }, shortVersion(one.version)),
          ),
        ),
    );
    drawSignal();
  }

  async function drawSignal() {
    const raw = windows.find((one) => one.raw);
    if (raw === undefined) {
      noSignal.textContent =
        'Of these windows the device sent what it made of them, not the samples: it sends those of uncertain, asked and some other windows.';
      return;
    }
    if (raw.id === asked) return drawCaption();
    asked = raw.id;
    try {
      /** @type {SignalView} */
      const full = await get(`/devices/${at(device)}/windows/${at(raw.id)}`);
      if (signal.aborted || full.signal === null || asked !== raw.id) return;
      drawing.box.hidden = false;
      drawing.show(full.signal, `${device}, window ${raw.id}, said to be ${said(full.predicted)}`);
      drawn = full;
      drawCaption();
    } catch {
      asked = null; // the next window tries again
    }
  }

  /** Which window is drawn: the newest one need not be raw. */
  function drawCaption() {
    if (drawn === null) return;
    const which =
      drawn.id === windows[0].id ? 'the newest window' : 'the newest window that was sent raw';
    noSignal.textContent = `Samples of ${which}, ${moment(drawn.at)}, said to be ${said(drawn.predicted)}.`;
  }

  async function load() {
    try {
      windows = await get(`/devices/${at(device)}/windows`, { limit: 50 });
      if (!signal.aborted) draw();
    } catch (error) {
      noSignal.replaceChildren(errorNote(error, load));
    }
  }
  onWindow(signal, (one) => {
    if (one.device !== device) return;
    windows = [one, ...windows.filter(({ id }) => id !== one.id)].slice(0, 50);
    draw();
  });
  load();
  return box;
}

/** What was said of a window, for people. @param {WindowView['predicted']} predicted */
const said = (predicted) => (predicted === null ? 'nothing' : String(predicted));
