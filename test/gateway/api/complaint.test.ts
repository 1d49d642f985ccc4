import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { type FakeCalls, fakeCalls } from './fake-calls.ts';

let calls: FakeCalls;
let api: Api;
beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});
afterAll(() => api.close());

const row = { line: 1, device: 'w1', session: 1, seq: 1, cls: 'upup' };
const sample = 'w1/1:1';
const says = 'it takes who says it: person, person:NAME, must-pass, delayed, teacher:NAME …';
const reason = 'reason is empty: it takes why, for the log';

it.each<[string, object, string]>([
  ['/labels/import', { rows: [row], source: '' }, `source is empty: ${says}`],
  [
    '/labels/import',
    { rows: [row, { ...row, cls: '' }] },
    'rows[1].cls is empty: it takes the name of a class, or a value',
  ],
  ['/labels', { sample, cls: 'upup', source: 'person:' }, `source is 'person:': ${says}`],
  ['/labels', { sample, cls: 'upup', source: 'person: ' }, `source is 'person: ': ${says}`],
  ['/labels/withdraw', { sample: 'w1' }, "sample is 'w1': it takes a window, DEVICE/SESSION:SEQ"],
  ['/labels/ask', { count: 0 }, 'count is 0: it takes 1 at least'],
  ['/labels/ask', { count: 'x' }, "count is 'x': it takes integer"],
  ['/rollouts/r1/stop', { reason: '' }, reason],
  ['/models/3f2a/sign', { reason: '' }, reason],
  ['/models/3f2a/sign', {}, 'reason is missing'],
  ['/models/3f2a/sign', { reason: 'x', why: 'y' }, 'there is no field why'],
  [
    '/alarms/silence',
    { subject: '', forMs: 1 },
    'subject is empty: it takes a device, cohort:NAME or fleet',
  ],
  [
    '/alarms/silence',
    { subject: 'w', forMs: 1, what: 'mood' },
    "what is 'mood': it takes score, features, classes, accuracy, sensor",
  ],
  [
    '/tokens',
    { name: ' ', role: 'viewer' },
    "name is ' ': it takes a person or a program: up to 64 letters, digits, spaces and . @ - _",
  ],
  [
    '/signing/revoke',
    { id: 'ab', reason: 'x' },
    "id is 'ab': it takes the 16 digits of a signing key, see: whetstone signing",
  ],
  [
    '/train',
    { scope: 'x'.repeat(99) },
    `scope is '${'x'.repeat(39)}…: it takes fleet, cohort:NAME or device:ID`,
  ],
])('POST %s %j is refused in a sentence', async (path, body, message) => {
  const response = await fetch(`${api.url}/api${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(await response.json()).toEqual({ error: { code: 'bad-request', message } });
  expect(response.status).toBe(400);
  expect(calls.asked).toEqual([]);
});

it('takes labels back of a source that none may be added from any more', async () => {
  const request = { sample, source: 'person:' };
  const response = await fetch(`${api.url}/api/labels/withdraw`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  expect(response.status).toBe(200);
  expect(calls.asked.pop()).toEqual(['withdrawLabel', request]);
});

it('takes a person by name, whatever the name', async () => {
  const label = { sample, cls: 'upup', source: 'person:Ann: the 2nd' };
  const response = await fetch(`${api.url}/api/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(label),
  });
  expect(response.status).toBe(200);
  expect(calls.asked).toEqual([['addLabel', label]]);
});
