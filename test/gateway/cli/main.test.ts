import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import type { LabelView, ModelView } from '../../../gateway/calls.ts';
import { stoppedLine } from '../../../gateway/cli/start.ts';
import pack from '../../../package.json' with { type: 'json' };
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { fakeDevice, fakeRollout } from '../api/fake-views.ts';
import { whetstone } from './run.ts';

const verbs = [
  'start',
  'replay',
  'build',
  'devices',
  'models',
  'rollouts',
  'keys',
  'tokens',
  'labels',
  'events',
  'alarms',
  'quality',
  'infer',
  'train',
  'search',
  'promote',
  'rollback',
  'export',
  'import',
  'verify',
  'audit',
  'signing',
  'bench',
  'doctor',
];
let api: Api;
let calls: FakeCalls;

beforeAll(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});

afterAll(() => api.close());

beforeEach(() => {
  calls.asked.length = 0;
});

/** A verb that is told where the fake gateway is. */
const ask = (...args: string[]) => whetstone(...args, '--url', api.url);

describe('run()', () => {
  it('prints help when nothing is asked', async () => {
    const { status, out, err } = await whetstone();
    expect([status, err]).toEqual([0, '']);
    for (const verb of verbs) expect(out).toMatch(new RegExp(`^ {2}${verb}\\b`, 'm'));
  });

  it('says its version', async () => {
    expect(await whetstone('--version')).toEqual({ status: 0, out: `${pack.version}\n`, err: '' });
  });

  it.each(verbs)('gives help with an example for %s', async (verb) => {
    const { status, out } = await whetstone(verb, '--help');
    expect(status).toBe(0);
    expect(out).toContain(`Example:\n  $ npx whetstone ${verb}`);
    if (verb !== 'start') expect(out).toContain('--json');
  });

  it.each([
    ['an unknown verb', ['frobnicate'], "unknown command 'frobnicate'"],
    ['a verb misspelt', ['device'], "unknown command 'device' (Did you mean devices?)"],
    ['a port that is none', ['start', '--http-port', '99999'], 'an integer from 0 to 65535'],
    [
      'a label of no class',
      ['labels', 'add', 'watch-4', '81:17'],
      'the class is missing: labels add',
    ],
    [
      'a build for no board to nowhere',
      ['build'],
      'esp8266-nodemcu, espruino-linux, pixljs, puckjs) and --out FILE',
    ],
    ['an unknown option', ['devices', '--nope'], "unknown option '--nope'"],
    ['a missing option', ['replay', '--task', 'gesture'], "required option '--data <dir>'"],
    [
      'a missing argument',
      ['labels', 'ask'],
      "missing required argument 'n' (see: whetstone labels ask --help)\n",
    ],
    [
      'an argument too many',
      ['promote', 'a', 'b'],
      'but got 2: a, b. (see: whetstone promote --help)\n',
    ],
    [
      'an unknown verb of rollouts',
      ['rollouts', 'x'],
      "whetstone: unknown command 'x'; whetstone rollouts has: approve, stop\n",
    ],
    ['a scope that is none', ['labels', 'ask', '3', '--scope', 'w1'], "no scope 'w1': it is fleet"],
    ['a label without a window', ['labels', 'add', 'w1/8:1'], 'the class is missing: labels add'],
    ['nobody who says so', ['labels', 'add', 'w1/8:1', 'upup', '--by', ' '], '--by takes a name'],
    ['a wrong number', ['events', '--limit', 'ten'], 'It takes an integer from 1 to 1000.'],
    ['a number out of range', ['labels', '--limit', '0'], 'It takes an integer from 1 to 1000.'],
    ['too many watches', ['start', '--virtual', '201'], 'an integer from 0 to 200'],
    ['an unknown benchmark', ['bench', 'luck'], 'Allowed choices are kernel, train'],
    ['an unknown scope', ['train', '--scope', 'all'], 'fleet, cohort:NAME or device:ID'],
    ['a sample that is none', ['labels', 'add', 'watch-1', 'upup'], "'watch-1' is no sample"],
    [
      'options that exclude each other',
      ['replay', '--task', 't', '--data', 'd', '--labels', '3', '--labels-per-class', '1'],
      'cannot be used with option',
    ],
  ])('exits with 2 and one line for %s', async (_, args, expected) => {
    const { status, out, err } = await whetstone(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(/^whetstone: .*\n$/);
    expect(err).toContain(expected);
  });

  it.each([
    ['no gateway runs', ['devices', '--url', 'http://127.0.0.1:9'], 'start one: npm start'],
    ['a task is unknown', ['build', '--board', 'puckjs', '--task', 'x', '--out', 'y'], "'x'"],
    ['a board is unknown', ['build', '--board', 'x', '--task', 'gesture', '--out', 'y'], "'x'"],
    [
      'a folder is missing',
      ['build', '--board', 'espruino-linux', '--task', 'gesture', '--out', '/nowhere/x.js'],
      'cannot write /nowhere/x.js: its folder is not there (choose another place with --out)',
    ],
  ])('exits with 1 and one line when %s', async (_, args, expected) => {
    const { status, out, err } = await whetstone(...args);
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/^whetstone: .*\n$/);
    expect(err).toContain(expected);
  });

  it.each(['models', 'promote', 'rollback'])('says what a version is to %s', async (verb) => {
    const { status, err } = await ask(verb, 'zz');
    expect([status, err]).toEqual([
      1,
      "whetstone: 'zz' is no version: 4 to 64 hexadecimal digits (see: whetstone models)\n",
    ]);
    expect(calls.asked).toEqual([]);
  });

  it('passes on what the gateway refuses', async () => {
    const { status, err } = await ask('devices', 'nobody');
    expect(status).toBe(1);
    expect(err).toBe('whetstone: no device nobody (see: whetstone devices)\n');
  });
});

describe('whetstone devices', () => {
  it('prints a table, one device, or one JSON object', async () => {
    calls.state.devices[2] = fakeDevice(3, {
      accuracy: 0.31,
      alarm: { since: 0, message: 'accuracy fell', what: 'accuracy', silencedUntil: null },
    });
    const list = (await ask('devices')).out;
    expect(list.split('\n')[0]).toMatch(
      /^device +model +for +state +link +accuracy +windows +dropped +refused$/,
    );
    expect(list).toMatch(/^watch-1 +v3f2a9c41 +fleet +confirmed +none +0\.97 +1234 +0 +0$/m);
    expect(list).toMatch(/^watch-3 .* 0\.31 .* ALARM accuracy fell$/m);
    expect((await ask('devices', 'watch-2')).out).toContain('virtual, synthetic motion');
    expect(JSON.parse((await ask('devices', '--json')).out)).toEqual({
      devices: calls.state.devices,
    });
    expect(JSON.parse((await ask('devices', 'watch-2', '--json')).out)).toEqual(
      calls.state.devices[1],
    );
  });
});

describe('whetstone models', () => {
  it('prints a table, one version, or one JSON object', async () => {
    expect((await ask('models')).out).toMatch(/^v3f2a9c41 +fleet +champion +3 +head +414 /m);
    expect((await ask('models', 'v3f2a')).out).toContain('part    head, 414 bytes');
    expect(JSON.parse((await ask('models', '--json')).out).models).toHaveLength(1);
  });

  it('says of a version under way which rollout carries it', async () => {
    const { models, model } = calls;
    const [one] = await models();
    const rollout = { id: '3f2a9c41-77', stage: 'canary', devices: 4, confirmed: 0 };
    const onCanary: ModelView = { ...one!, stage: 'trial', rollout };
    Object.assign(calls, { models: async () => [onCanary], model: async () => onCanary });
    try {
      expect((await ask('models')).out).toMatch(/^v3f2a9c41 .* on canary, rollout 3f2a9c41 /m);
      expect((await ask('models', 'v3f2a')).out).toContain('stage   on canary, rollout 3f2a9c41 (');
      expect(JSON.parse((await ask('models', '--json')).out).models[0].rollout).toEqual(rollout);
    } finally {
      Object.assign(calls, { models, model });
    }
  });
});

describe('whetstone rollouts', () => {
  it('says that there is none, or lists them', async () => {
    expect((await ask('rollouts')).out).toBe('no rollout yet\n');
    calls.state.rollouts = [fakeRollout()];
    expect((await ask('rollouts')).out).toContain('watch-3: trial');
    expect(JSON.parse((await ask('rollouts', '--json')).out)).toEqual({
      rollouts: calls.state.rollouts,
    });
  });
});

describe('whetstone labels', () => {
  it('adds a label by device and sequence or by sample id', async () => {
    const { status, out } = await ask('labels', 'add', 'watch-1', '81:17', 'waggle');
    expect([status, out]).toEqual([0, 'watch-1/81:17 is waggle (the device said upup)\n']);
    const json = await ask('labels', 'add', 'watch-1/81:18', 'upup', '--json');
    expect((JSON.parse(json.out) as LabelView).sample).toBe('watch-1/81:18');
    expect(calls.asked).toEqual([
      ['addLabel', { sample: 'watch-1/81:17', cls: 'waggle', source: 'person' }],
      ['addLabel', { sample: 'watch-1/81:18', cls: 'upup', source: 'person' }],
    ]);
  });

  it('pins a window, lists what was set aside, and releases it', async () => {
    await ask('labels', 'add', 'watch-1', '81:17', 'waggle', '--pin');
    await ask('labels', '--quarantined');
    const { status, out } = await ask('labels', 'release', 'watch-1/81:17');
    expect([status, out]).toEqual([0, 'watch-1/81:17 counts again\n']);
    expect(calls.asked).toEqual([
      ['addLabel', { sample: 'watch-1/81:17', cls: 'waggle', source: 'must-pass' }],
      ['labels', { limit: 20, quarantined: true }],
      ['release', 'watch-1/81:17'],
    ]);
  });

  it('lists those of one device', async () => {
    expect((await ask('labels', '--device', 'watch-1', '--limit', '3')).out).toBe('none yet\n');
    expect(calls.asked).toEqual([['labels', { device: 'watch-1', limit: 3 }]]);
  });
});

describe('whetstone events', () => {
  it('tells each as a sentence, or gives one JSON object', async () => {
    calls.log.length = 0;
    calls.tell('device.restarted', 'watch-1');
    calls.tell('battery.low', 'watch-2', { percent: 4 });
    const lines = (await ask('events')).out.trim().split('\n');
    expect(lines[0]).toMatch(/^1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}watch-1 started again$/);
    expect(lines[1]).toContain('battery.low watch-2 (percent 4)');
    expect(JSON.parse((await ask('events', '--since', '1', '--json')).out)).toEqual({
      events: [calls.log[1]],
    });
  });
});

describe('whetstone train, promote and rollback', () => {
  it('ask for it and tell the outcome', async () => {
    expect((await ask('train', '--scope', 'device:watch-3')).out).toBe(
      'v3f2a9c41 for device:watch-3 (head, 12 ms): released: better\n',
    );
    expect((await ask('promote', 'v3f2a9c41')).out).toContain('rollout r1 of v3f2a9c41');
    expect((await ask('rollback')).out).toContain('rolledback');
    expect(JSON.parse((await ask('rollback', '3f2a9c41', '--json')).out).id).toBe('r1');
    expect(calls.asked).toEqual([
      ['train', 'device:watch-3'],
      ['promote', '3f2a9c41'],
      ['rollback', undefined],
      ['rollback', '3f2a9c41'],
    ]);
  });
});

describe('whetstone train', () => {
  it('tells a refusal as what is not so', async () => {
    const { train } = calls;
    calls.train = async (request) => ({
      ...(await train(request)),
      ...{ released: false, version: null, reason: 'better: champion 7 of 9 right, candidate 7' },
    });
    const { out } = await ask('train');
    calls.train = train;
    expect(out).toBe(
      'no candidate for fleet (head, 12 ms): not released: not better: champion 7 of 9 right, candidate 7\n',
    );
  });
});

describe('stoppedLine()', () => {
  it('gives the same options again, as a shell takes them', () => {
    expect(stoppedLine([])).toBe('stopped; go on with: npm start');
    expect(stoppedLine(['--data-dir', "Ann's data", '--virtual=2'])).toBe(
      "stopped; go on with: npm start -- --data-dir 'Ann'\\''s data' --virtual=2",
    );
  });
});

describe('whetstone build', () => {
  it('writes the bundle that it reports', async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'build-')), 'watch.js');
    const args = ['--board', 'espruino-linux', '--out', out];
    const built = await whetstone('build', ...args, '--json');
    const { bytes, report, task } = JSON.parse(built.out);
    expect([built.status, task]).toEqual([0, 'gesture']);
    expect(readFileSync(out).length).toBe(bytes);
    expect(report.length).toBeGreaterThan(3);
    expect((await whetstone('build', ...args)).out).toContain(`${bytes} bytes for espruino-linux`);
  });

  it("takes the board's best suite where none is named, and only one that the board has", async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'build-')), 'puck.js');
    const args = ['build', '--board', 'puckjs', '--out', out, '--json'];
    const best = JSON.parse((await whetstone(...args)).out);
    const plain = JSON.parse((await whetstone(...args, '--suite', 'none')).out);
    expect([best.suite, plain.suite]).toEqual(['ccm', 'none']);
    expect(plain.bytes).toBeLessThan(best.bytes);
    const { status, err } = await whetstone(...args, '--suite', 'mac');
    expect([status, err.trim()]).toEqual([
      1,
      "whetstone: puckjs has no suite 'mac' (it has: ccm, none)",
    ]);
  });
});
