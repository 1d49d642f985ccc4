import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createPorts } from '../../../gateway/ports.ts';
import { createService, type Service } from '../../../gateway/service.ts';
import * as views from '../../../gateway/views/views.ts';
import { type LoopWorld, loopWorld } from '../../support/loop-world.ts';
import { twoPeople } from '../../support/people.ts';
import { sumsTeacher } from '../../support/sums-teacher.ts';
import { quickTask } from '../../support/tasks.ts';

type Json = Record<string, unknown>;
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Json }> }>>;
  components: { schemas: Record<string, Json> };
}

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 20 };
const task = quickTask({ rollout });
const { learn, test: own } = twoPeople(task, 12, 8).ann;
const ids = ['w1', 'w2'];

let world: LoopWorld;
let service: Service;
let api: Api;
let pump: NodeJS.Timeout;
let token: string;
let document: Document;
let ajv: Ajv2020;
const ends: (() => unknown)[] = [];

/** Operations that were asked and gave what they should. */
const answered = new Set<string>();

beforeAll(async () => {
  world = await loopWorld({
    ...{ task, ids, approval: 'canary' },
    finished: (act) => void ends.push(act),
  });
  const ports = createPorts(world.gateway, [], ({ name }) => serialPort(name));
  service = createService(world.gateway, {
    ...{ sentence: 'two watches', startedAt: 0, ports: ports.calls },
  });
  service.ensureAdmin((text) => {
    token = text;
  });
  api = await serveApi(service.call, {
    ...{ port: 0, access: service.access, requireToken: true },
    metrics: createMetrics(world.gateway),
  });
  // what waits for a commit waits for the clock, which stands still between two steps
  pump = setInterval(() => world.store.flush(), 5);
  document = (await (await send('GET', '/api/openapi.json')).json()) as Document;
  ajv = new Ajv2020({ allErrors: true, strict: true, validateFormats: true });
  ajv.addVocabulary(Object.keys(document));
  ajv.addSchema(closed(document) as object, 'api');
}, 120_000);

afterAll(async () => {
  clearInterval(pump);
  await api?.close();
  service?.close();
  for (const end of ends.reverse()) await end();
});

/** The document with every object closed: what an answer has and its schema does not tell is an error. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closed(part)]));
  const isShape = 'properties' in value && 'type' in value && !('additionalProperties' in value);
  return isShape ? { ...inner, unevaluatedProperties: false } : inner;
}

function send(method: string, path: string, body?: object, cookie?: string): Promise<Response> {
  return fetch(api.url + path, {
    method,
    headers: {
      ...(cookie === undefined && { authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const at = (...parts: string[]): string =>
  `api#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/** What checks an answer of an operation. */
function schemaOf(operation: string, status: string): ValidateFunction {
  const [method = '', path = ''] = operation.split(' ');
  const { responses } = document.paths[path]![method.toLowerCase()]!;
  const told = status in responses ? status : 'default';
  const type = Object.keys(responses[told]!.content!)[0]!;
  const where = ['paths', path, method.toLowerCase(), 'responses', told, 'content', type, 'schema'];
  return ajv.getSchema(at(...where))!;
}

function expectFits(operation: string, status: string, answer: unknown): void {
  const fits = schemaOf(operation, status);
  expect(fits(answer), `${operation}: ${ajv.errorsText(fits.errors).slice(0, 500)}`).toBe(true);
}

/**
 * Asks an operation and holds its answer to the schema.
 *
 * @param operation as the document has it: 'POST /api/keys/{device}/rotate'
 * @param asked parameters of the path, query and body
 */
async function ask<T = Json>(
  operation: string,
  asked: { params?: Record<string, string>; query?: string; body?: object; cookie?: string } = {},
): Promise<T> {
  const [method = '', template = ''] = operation.split(' ');
  const { params = {}, query = '', cookie } = asked;
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name]!));
  const body = asked.body ?? (method === 'POST' ? {} : undefined);
  const response = await send(method, path + query, body, cookie);
  const text = await response.text();
  expect(response.status, `${operation}: ${text.slice(0, 300)}`).toBe(200);
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const answer = isJson ? JSON.parse(text) : text;
  expectFits(operation, '200', answer);
  answered.add(operation);
  return answer as T;
}

describe('/api/openapi.json', () => {
  it('has schemas that compile, references that lead somewhere, and a name for every view', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const operation = `${method.toUpperCase()} ${path}`;
        for (const status of Object.keys(responses)) {
          expect(() => schemaOf(operation, status), `${operation} ${status}`).not.toThrow();
          expect(schemaOf(operation, status)({ any: 'thing' }), `${operation} ${status}`).toBe(
            false,
          );
        }
      }
    }
    const names = Object.keys(document.components.schemas);
    expect(names.sort()).toEqual(
      Object.keys(views)
        .filter((name) => /^[A-Z]/.test(name))
        .sort(),
    );
    const repeated = Object.values(document.components.schemas).map((one) => JSON.stringify(one));
    expect(new Set(repeated).size).toBe(names.length);
  });

  it('describes every answer of a gateway: each operation, asked of one with devices', async () => {
    await ask('GET /healthz');
    await ask('GET /readyz');
    await ask('GET /metrics');
    await ask('GET /api/openapi.json');
    await ask('GET /api/me');
    await ask('GET /api/status');

    // windows, a model for the fleet, an approval
    await world.step();
    await world.learn(learn);
    const trained = await ask('POST /api/train', { body: { scope: 'fleet' } });
    expect(trained).toMatchObject({ released: true });
    const [first] = await ask<{ id: string; version: string }[]>('GET /api/rollouts');
    const { id, version } = first!;
    expect(await world.finish(id, own)).toBe('awaiting-approval');
    await ask('GET /api/rollouts/{id}', { params: { id } });
    await ask('POST /api/rollouts/{id}/approve', { params: { id } });
    expect(await world.finish(id, own)).toBe('settled');
    await world.feed(own.slice(0, 12));

    const devices = await ask<Json[]>('GET /api/devices');
    expect(devices).toMatchObject([{ id: 'w1', version }, { id: 'w2' }]);
    await ask('GET /api/devices/{id}', { params: { id: 'w1' } });
    await ask('GET /api/models');
    const model = await ask('GET /api/models/{version}', { params: { version } });
    expect(model.gate).not.toBeNull();

    // windows and their labels
    const windows = await ask<{ id: string }[]>('GET /api/devices/{id}/windows', {
      params: { id: 'w1' },
    });
    const [seen, other] = windows as [{ id: string }, { id: string }];
    const signal = await ask('GET /api/devices/{id}/windows/{window}', {
      params: { id: 'w1', window: seen.id },
    });
    expect(signal.raw).toBe(signal.signal !== null);
    const flat = Array.from({ length: task.window.samples }, () => [0, 0, 1]);
    await ask('POST /api/infer', { body: { device: 'w1', window: flat } });
    const sample = `w1/${seen.id}`;
    const cls = task.classes[0]!;
    await ask('POST /api/labels', { body: { sample, cls } });
    await ask('POST /api/labels', { body: { sample, cls: task.classes[1], source: 'device' } });
    const [session, seq] = other.id.split(':').map(Number);
    const rows = [
      { line: 2, device: 'w1', session, seq, cls },
      { line: 3, device: 'nobody', session: 1, seq: 1, cls },
    ];
    const imported = await ask('POST /api/labels/import', { body: { rows } });
    expect(imported).toMatchObject({ added: 1, refused: [{ line: 3 }] });
    const contradicted = await ask<Json[]>('GET /api/labels', { query: '?contradicted=true' });
    expect(contradicted.length).toBe(1);
    await ask('GET /api/labels');
    await ask('GET /api/labels', { query: '?unlabelled=true' });
    await ask('GET /api/labels/sources');
    await ask('POST /api/labels/withdraw', { body: { sample } });
    const asked = await ask<{ asked: Json[] }>('POST /api/labels/ask', { body: { count: 2 } });
    expect(asked.asked.length).toBe(2);
    await setAside('w2', 5);
    await ask('POST /api/labels/release', { body: { sample: 'w2/77:5' } });

    // what is wrong, and what was
    await ask('POST /api/alarms/silence', { body: { subject: 'w1', forMs: 60_000 } });
    await ask('GET /api/alarms');
    await ask('POST /api/alarms/unsilence', { body: { subject: 'w1' } });
    await ask('GET /api/quality', { query: '?scope=fleet' });
    await ask('GET /api/history', { query: '?points=20' });
    expect((await ask<Json[]>('GET /api/events', { query: '?since=0&limit=1000' })).length).toBe(
      world.events().length,
    );

    // files
    const file = await ask<{ file: string }>('GET /api/models/{version}/export', {
      ...{ params: { version }, query: '?format=tflite' },
    });
    const body = { task: task.name, file: file.file, look: true };
    await ask('POST /api/models/import', { body });
    const teacher = Buffer.from(sumsTeacher()).toString('base64');
    await ask('POST /api/labels/teach', { body: { file: teacher, name: 'sums', dryRun: true } });

    // a version of one device, promoted, stopped, and one rolled back
    const copy = copyFor('w1', version);
    const begun = await ask<{ id: string }>('POST /api/models/{version}/promote', {
      params: { version: copy },
    });
    expect(await world.finish(begun.id, own)).toBe('awaiting-approval');
    await ask('POST /api/rollouts/{id}/stop', { params: { id: begun.id } });
    expect(await world.finish(begun.id, own)).toBe('returned');
    const again = await ask<{ id: string }>('POST /api/models/{version}/promote', {
      params: { version: copyFor('w2', version) },
    });
    expect(await world.finish(again.id, own)).toBe('awaiting-approval');
    await ask('POST /api/rollouts/{id}/approve', { params: { id: again.id } });
    expect(await world.finish(again.id, own)).toBe('settled');
    await ask('POST /api/rollback');

    // keys and tokens
    const params = { device: 'puck-1' };
    await ask('POST /api/keys', { body: { device: 'puck-1', board: 'puckjs' } });
    await ask('POST /api/keys/{device}/rotate', { params });
    await ask('GET /api/keys');
    await ask('POST /api/keys/{device}/remove', { params });
    const [old] = await ask<{ id: string }[]>('POST /api/signing/rotate');
    const why = { reason: 'to see' };
    await ask('POST /api/models/{version}/sign', { params: { version }, body: why });
    await ask('POST /api/signing/revoke', { body: { id: old!.id, ...why } });
    await ask('GET /api/signing');
    const added = await ask<{ id: string; token: string }>('POST /api/tokens', {
      body: { name: 'ann', role: 'viewer', days: 2 },
    });
    const signIn = await send('POST', '/api/session', { token: added.token });
    expectFits('POST /api/session', '200', await signIn.json());
    answered.add('POST /api/session');
    const cookie = signIn.headers.get('set-cookie')!.split(';')[0]!;
    await ask('GET /api/me', { cookie });
    await ask('DELETE /api/session', { cookie });
    await ask('GET /api/tokens');
    const port = { kind: 'serial', name: '/dev/whetstone-nobody' };
    await ask('POST /api/ports', { body: port });
    await ask('GET /api/ports');
    await ask('POST /api/ports/remove', { body: port });
    await ask('POST /api/tokens/{id}/revoke', { params: { id: added.id } });

    // the store as a whole
    await ask('GET /api/verify');
    await ask('GET /api/audit', { query: '?all=true&limit=1000' });
    await ask('POST /api/backup');
    await ask('GET /api/status');

    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    // a WebSocket: below
    expect([...answered].sort()).toEqual(all.filter((one) => one !== 'GET /api/live').sort());
  }, 240_000);

  it('describes every message of the socket, and every failure', async () => {
    const socket = new WebSocket(
      `${api.url.replace('http', 'ws')}/api/live?since=0&topics=events,windows`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    const types = new Set<string>();
    socket.on('message', (text) => {
      const message = JSON.parse(String(text)) as { type: string };
      expectFits('GET /api/live', '101', message);
      types.add(message.type);
    });
    await new Promise((opened) => socket.once('open', opened));
    for (let i = 0; i < 200 && !types.has('window'); i++) {
      await world.feed(own.slice(0, 1));
      await new Promise((passed) => setTimeout(passed, 20));
    }
    socket.terminate();
    expect([...types].sort()).toEqual(['event', 'hello', 'window']);
    for (const [operation, path] of [
      ['GET /api/devices/{id}', '/api/devices/nobody'],
      ['GET /api/events', '/api/events?limit=0'],
      ['GET /api/live', '/api/live'],
    ] as const) {
      const response = await send('GET', path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expectFits(operation, `${response.status}`, await response.json());
    }
  }, 120_000);
});

/** A window that the check set aside. */
async function setAside(device: string, seq: number): Promise<void> {
  const window = Int8Array.from({ length: task.window.samples * 3 }, (_, i) => i % 50);
  const said = { cls: 1, score: 9, length: task.window.samples, embedding: null, window };
  const origin = { task: task.name, release: 1, version: null, at: world.clock.now(), t: 4000 };
  const key = { device, session: 77, seq };
  await world.store.samples.add({ ...key, ...origin, ...said, label: null, quarantine: 'stuck' });
}

/** The same parts, registered as a version of one device alone. */
function copyFor(device: string, version: string): string {
  const { registry } = world.gateway;
  const { golden, taskHash, lineage, budgets } = registry.get(version).manifest;
  const scope = { kind: 'device', id: device } as const;
  const about = { task: task.name, taskHash, golden, budgets, parent: version, scope, lineage };
  return registry.register(registry.parts(version), about, null);
}
