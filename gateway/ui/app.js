import { deviceCard, drawDevice, el, rolloutItem } from './draw.js';
import { clock, inOne, sentence, toneOf } from './words.js';

/** The page: asks for the status, follows the live events, and says when it cannot. */

const SHOWN_EVENTS = 200;
const REFRESH_MS = 1000;
const IDLE_MS = 5000;

const $ = (id) => document.getElementById(id);
let startedAt = Date.now();
let source = null;
let timer = null;
/** newest rows of labels, by device, until something else happens */
const labelRows = new Map();

function setState(state, link, trouble = '') {
  document.body.dataset.state = state;
  if ($('link').textContent !== link) $('link').textContent = link;
  if ($('trouble').textContent !== trouble) $('trouble').textContent = trouble;
  $('trouble').hidden = trouble === '';
}

function drawLoading() {
  const ghost = () => el('div', { class: 'card ghost', 'aria-hidden': 'true' });
  $('devices').replaceChildren(ghost(), ghost());
}

function drawStatus(status) {
  startedAt = status.startedAt;
  $('sentence').textContent = status.sentence;
  for (const ghost of document.querySelectorAll('.ghost')) ghost.remove();
  drawDevices(status.devices);
  $('no-devices').hidden = status.devices.length > 0;
  const newestFirst = status.rollouts.toSorted((a, b) => b.startedAt - a.startedAt);
  $('rollouts').replaceChildren(...newestFirst.map(rolloutItem));
  $('no-rollouts').hidden = status.rollouts.length > 0;
  drawAlarm(status.devices.filter(({ alarm }) => alarm !== null && alarm.silencedUntil === null));
}

function drawDevices(devices) {
  const cards = new Map([...$('devices').children].map((card) => [card.dataset.id, card]));
  for (const device of devices) {
    const card = cards.get(device.id) ?? $('devices').appendChild(deviceCard(device.id));
    cards.delete(device.id);
    drawDevice(card, device);
  }
  for (const card of cards.values()) card.remove();
}

/** Changes the live region only when there is something new to say. */
function drawAlarm(alarmed) {
  const text = alarmed.map((device) => `⚠ ${device.id}: ${device.alarm.message}`).join('\n');
  if ($('alarm').dataset.text === text) return;
  $('alarm').dataset.text = text;
  $('alarm').replaceChildren(
    ...text
      .split('\n')
      .filter(Boolean)
      .map((line) => el('p', {}, line)),
  );
}

function addEvent(event) {
  if (event.kind !== 'label.added') labelRows.clear();
  const row = labelRows.get(event.subject);
  const one = row && inOne(row.event, event);
  if (one !== undefined) {
    row.event = one;
    row.item.lastChild.textContent = sentence(one);
    return;
  }
  const item = el(
    'li',
    { 'data-tone': toneOf(event) },
    el('time', { datetime: new Date(event.at).toISOString() }, clock(event.at - startedAt)),
    el('span', {}, sentence(event)),
  );
  if (event.kind === 'label.added') labelRows.set(event.subject, { event, item });
  $('events').prepend(item);
  while ($('events').children.length > SHOWN_EVENTS) $('events').lastChild.remove();
  $('no-events').hidden = true;
}

async function refresh() {
  clearTimeout(timer);
  timer = null;
  try {
    const response = await fetch('/api/status');
    const body = await response.json();
    if (!response.ok) throw new Error(body.error?.message ?? `status ${response.status}`);
    drawStatus(body);
    setState('live', 'live');
    if (source === null) await follow(body.lastEvent);
    later(IDLE_MS);
  } catch (error) {
    const isGone = error instanceof TypeError;
    const why = isGone ? 'The gateway does not answer' : `The gateway reports: ${error.message}`;
    source?.close();
    source = null;
    for (const ghost of document.querySelectorAll('.ghost')) ghost.remove();
    setState('offline', 'offline', `${why}. Trying again… What is shown may be old.`);
    later(REFRESH_MS * 2);
  }
}

function later(delay) {
  if (timer !== null && delay >= IDLE_MS) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, delay);
}

/** Draws the newest events, then every one that comes. */
async function follow(lastEvent) {
  const response = await fetch(`/api/events?limit=${SHOWN_EVENTS}`);
  const events = (await response.json()).filter((event) => event.id <= lastEvent);
  $('events').replaceChildren();
  labelRows.clear();
  events.forEach(addEvent);
  $('no-events').hidden = events.length > 0;
  source = new EventSource(`/api/events?since=${lastEvent}`);
  let soon = false;
  source.onmessage = ({ data }) => {
    addEvent(JSON.parse(data));
    if (soon) return;
    soon = true;
    setTimeout(() => {
      soon = false;
      refresh();
    }, REFRESH_MS);
  };
  source.onerror = () => later(0);
}

drawLoading();
refresh();
