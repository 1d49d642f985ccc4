import { shortVersion } from './words.js';

/** Pieces of the page: each takes data and gives or fills an element. */

/**
 * Makes an element.
 *
 * @param {string} tag its name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 200;
const HEIGHT = 54;

/**
 * Draws how a share went over time, 0 at the bottom and 1 at the top.
 *
 * @param {SVGElement} svg is filled anew
 * @param {number[]} values oldest first
 * @param {string} what for who cannot see it: 'accuracy of watch-1'
 */
export function drawSpark(svg, values, what) {
  const y = (value) => (HEIGHT - 2 - value * (HEIGHT - 4)).toFixed(1);
  const x = (i) => ((i / Math.max(1, values.length - 1)) * WIDTH).toFixed(1);
  const make = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const lines = [0, 0.5, 1].map((v) =>
    make('line', { class: 'grid', x1: '0', x2: String(WIDTH), y1: y(v), y2: y(v) }),
  );
  const points = values.map((value, i) => `${x(i)},${y(value)}`).join(' ');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const first = values[0]?.toFixed(2);
  const last = values.at(-1)?.toFixed(2);
  const label =
    values.length === 0 ? `${what}: not known yet` : `${what}: from ${first} to ${last}`;
  svg.setAttribute('aria-label', label);
  svg.replaceChildren(...lines, make('polyline', { class: 'curve', points }));
}

/**
 * Makes the card of a device once; drawDevice() fills it.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function deviceCard(id) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'spark');
  return el(
    'article',
    { class: 'card', 'data-id': id },
    el('h3', {}, el('span', {}, id), el('span', { class: 'mark' })),
    el('p', { class: 'who' }),
    el('div', { class: 'figure' }, el('div', {}, el('strong'), el('small')), svg),
    el('dl'),
  );
}

/**
 * Fills the card of a device.
 *
 * @param {HTMLElement} card from deviceCard()
 * @param {object} device a DeviceView
 */
export function drawDevice(card, device) {
  const find = (selector) => card.querySelector(selector);
  const [mark, tone] = markOf(device);
  find('.mark').textContent = mark;
  find('.mark').className = `mark ${tone}`;
  card.toggleAttribute('data-alarm', device.alarm !== null);
  const about = [device.synthetic ? `${device.board}, synthetic motion` : device.board];
  if (device.wearer !== null) about.unshift(`worn by ${device.wearer}`);
  find('.who').textContent = about.join(' · ');
  const known = device.history.filter((point) => point.accuracy !== null);
  find('strong').textContent = device.accuracy === null ? '–' : percent(device.accuracy);
  find('small').textContent = device.accuracy === null ? 'no labels yet' : 'accuracy';
  drawSpark(
    find('svg'),
    known.map((point) => point.accuracy),
    `accuracy of ${device.id}`,
  );
  const rows = [
    ['Model', device.version === null ? 'none' : modelOf(device)],
    ['For', device.scope ?? 'nobody yet'],
    ['Windows', device.samples.toLocaleString()],
  ];
  if (device.dropped > 0) rows.push(['Dropped', device.dropped.toLocaleString()]);
  if (device.measured !== null) {
    rows.push(['Measured', `${range(device.measured)}, ${device.measured.labels} labels`]);
  }
  if (device.estimated !== null) rows.push(['Estimated', range(device.estimated)]);
  if (device.score !== null) rows.push(['Margin', (device.score / 16).toFixed(1)]);
  find('dl').replaceChildren(
    ...rows.flatMap(([name, value]) => [
      el('dt', name in meanings ? { title: meanings[name] } : {}, name),
      el('dd', {}, value),
    ]),
  );
}

const meanings = {
  Measured: 'accuracy on the newest labelled windows, with its 95 % interval',
  Estimated: 'accuracy on the newest windows without labels, as their margins let expect',
  For: 'whom this model serves',
  Margin: 'how sure the model is, in logits',
  Dropped: 'windows that the device had to forget before they were stored',
};

const range = ({ accuracy, low, high }) =>
  `${percent(accuracy)} (${Math.round(low * 100)} to ${percent(high)})`;

function modelOf(device) {
  return `${shortVersion(device.version)}${device.state === 'trial' ? ', on trial' : ''}`;
}

function markOf(device) {
  if (!device.connected) return ['✕ not connected', 'bad'];
  if (device.alarm !== null && device.alarm.silencedUntil !== null) {
    return ['◌ alarm, silenced', 'trial'];
  }
  if (device.alarm?.what === 'sensor') return ['⚠ sick sensor', 'bad'];
  if (device.alarm !== null) {
    return [device.state === 'trial' ? '⚠ alarm, update on trial' : '⚠ alarm', 'bad'];
  }
  if (device.state === 'trial') return ['◐ on trial', 'trial'];
  if (device.state === 'empty') return ['○ no model', 'trial'];
  return ['● confirmed', 'good'];
}

/**
 * A share in percent.
 *
 * @param {number} share 0 to 1
 * @returns {string}
 */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/**
 * One rollout in the timeline.
 *
 * @param {object} rollout a RolloutView
 * @returns {HTMLElement}
 */
export function rolloutItem(rollout) {
  const steps = rollout.devices.map((device) => {
    const bytes = device.wireBytes > 0 ? `, ${device.wireBytes} bytes` : '';
    return el('span', {}, `${device.id}: ${device.state}${bytes}`);
  });
  return el(
    'li',
    { 'data-stage': rollout.stage },
    el(
      'p',
      {},
      el('b', {}, shortVersion(rollout.version)),
      ` for ${rollout.scope}: ${rollout.stage}`,
    ),
    ...(rollout.reason === null ? [] : [el('p', { class: 'quiet' }, rollout.reason)]),
    el('p', { class: 'steps' }, ...steps),
  );
}
