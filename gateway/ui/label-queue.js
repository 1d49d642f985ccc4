import { at, get, post } from './api.js';

/**
 * @import { AskView, LabelView } from '../views/label.ts'
 * @import { SignalView } from '../views/window.ts'
 */

/** Windows that are asked for at a time, and how few are left when more are asked for. */
const ASKED = 10;
const FEW = 3;

/**
 * The windows that wait for a label, the most useful first; what was labelled can be taken back.
 *
 * @param {string} scope 'fleet', 'cohort:NAME' or 'device:ID'
 */
export function labelQueue(scope) {
  /** the first is the one to look at @type {LabelView[]} */
  const waiting = [];
  /** @type {(LabelView & { given: string })[]} */
  const done = [];
  /** @type {Set<string>} */
  const skipped = new Set();
  /** @type {Set<string>} */
  const gone = new Set();
  /** @type {Map<string, SignalView>} */
  const signals = new Map();
  /** @type {Promise<void> | null} */
  let asking = null;
  let outOfReach = 0;
  /** why there is none, as the gateway says it @type {string | null} */
  let missing = null;

  /** @param {LabelView} label */
  const mine = ({ sample, device }) =>
    (!scope.startsWith('device:') || scope === `device:${device}`) &&
    !skipped.has(sample) &&
    !gone.has(sample);
  /** @param {LabelView[]} labels */
  const add = (labels) => {
    const known = new Set([...waiting, ...done].map(({ sample }) => sample));
    for (const label of labels) if (!known.has(label.sample) && mine(label)) waiting.push(label);
  };

  /** First what was asked for before and has not come; then the gateway chooses. */
  async function fill() {
    asking ??= (async () => {
      add(await get('/labels', { asked: true, limit: 50 }));
      if (waiting.length > FEW) return;
      /** @type {AskView} */
      const answer = await post('/labels/ask', { count: ASKED, scope });
      outOfReach = answer.outOfReach;
      missing = answer.missing;
      add(answer.asked);
    })().finally(() => {
      asking = null;
    });
    return asking;
  }

  /** A window with its signal, where the gateway has it by now. @param {LabelView} label */
  async function look({ sample, device }) {
    const known = signals.get(sample);
    if (known !== undefined) return known;
    const id = sample.slice(device.length + 1);
    /** @type {SignalView} */
    const window = await get(`/devices/${at(device)}/windows/${at(id)}`);
    if (window.signal !== null) signals.set(sample, window);
    return window;
  }

  return {
    fill,
    look,
    /** @returns {LabelView | undefined} */
    get first() {
      return waiting[0];
    },
    /** @returns {LabelView | undefined} */
    get second() {
      return waiting[1];
    },
    get waiting() {
      return waiting.length;
    },
    get done() {
      return done.length;
    },
    get missing() {
      return missing;
    },
    get outOfReach() {
      return outOfReach;
    },
    /** Labels the first one; it is the first again where the gateway refuses. @param {string} cls */
    async label(cls) {
      const one = waiting.shift();
      if (one === undefined) return;
      done.push({ ...one, given: cls });
      try {
        await post('/labels', { sample: one.sample, cls });
      } catch (error) {
        done.splice(
          done.findLastIndex(({ sample }) => sample === one.sample),
          1,
        );
        waiting.unshift(one);
        throw error;
      }
      if (waiting.length < FEW) fill().catch(() => {});
    },
    /** Leaves the first one for another time. */
    skip() {
      const one = waiting.shift();
      if (one !== undefined) skipped.add(one.sample);
    },
    /** The raw samples of the first one are lost: nobody can say what it was. */
    drop() {
      const one = waiting.shift();
      if (one !== undefined) gone.add(one.sample);
    },
    /** Takes the newest label back; its window is the first again. */
    async undo() {
      const one = done.pop();
      if (one === undefined) return undefined;
      try {
        await post('/labels/withdraw', { sample: one.sample, source: 'person' });
      } catch (error) {
        done.push(one);
        throw error;
      }
      waiting.unshift(one);
      return one;
    },
  };
}
