import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { temporary } from '../../support/loop-world.ts';
import { type FakeCalls, fakeCalls } from '../api/fake-calls.ts';
import { fakeLabel } from '../api/fake-views.ts';
import { whetstone } from './run.ts';

let calls: FakeCalls;
let api: Api;

beforeEach(async () => {
  calls = fakeCalls();
  api = await serveApi(calls, { port: 0 });
});
afterEach(() => api.close());

const ask = (...args: string[]) => whetstone('labels', ...args, '--url', api.url);

function file(name: string, content: string): string {
  const path = join(temporary(), name);
  writeFileSync(path, content);
  return path;
}

describe('whetstone labels import', () => {
  const csv = 'device,session,seq,class\nw1,7,1,upup\nw1,7,x,upup\nw9,1,1,upup\n';

  it('sends the good lines, lists the bad ones in order, and ends with 1', async () => {
    const path = file('labels.csv', csv);
    const { status, out } = await ask('import', path, '--source', 'lab', '--within', '50');
    expect(status).toBe(1);
    expect(out).toBe(
      "line 3: seq 'x' is no number\nline 4: no window w9/1:1\n" +
        '1 labels added, 1 known already, 2 lines refused\n',
    );
    const rows = [
      { line: 2, device: 'w1', session: 7, seq: 1, cls: 'upup' },
      { line: 4, device: 'w9', session: 1, seq: 1, cls: 'upup' },
    ];
    const options = { source: 'lab', withinMs: 50, dryRun: false };
    expect(calls.asked).toEqual([['importLabels', { rows, ...options }]]);
  });

  it('says in a dry run what would be', async () => {
    const { out } = await ask('import', file('labels.csv', csv), '--dry-run');
    expect(out).toContain('1 labels would be added');
    expect(calls.asked[0]).toMatchObject(['importLabels', { withinMs: 2000, dryRun: true }]);
  });

  it('fails in one line for a file that is not there or no labels', async () => {
    const missing = await ask('import', '/nowhere/labels.csv');
    expect([missing.status, missing.err]).toEqual([
      1,
      'whetstone: cannot read /nowhere/labels.csv: there is no such file\n',
    ]);
    const other = await ask('import', file('x.csv', 'a,b\n1,2\n'));
    expect(other.status).toBe(1);
    expect(other.err).toMatch(
      /^whetstone: the first line names no columns of labels: a,b \(.*\)\n$/,
    );
    expect(calls.asked).toEqual([]);
  });
});

describe('whetstone labels teach', () => {
  it('sends the file with its own limit and device, named after the file', async () => {
    const path = file('Large Net.onnx', 'a model');
    const { status, out } = await ask('teach', path, '--device', 'w1', '--classes', 'upup, other');
    expect(status).toBe(0);
    expect(out).toBe(
      'sure of: upup 12\nlarge-net (whetstone) saw 20, labelled 12, was unsure of 7, ' +
        'took 1 for no class of the task\nwhere others gave a label it was right 5 times of 6\n',
    );
    await ask('teach', path, '--limit', '5', '--min-confidence', '0.5', '--scale', '0.03125');
    await ask('teach', path, '--layout', 'axes', '--teacher', 'big', '--dry-run');
    const sent = { file: Buffer.from('a model').toString('base64'), name: 'large-net' };
    const plain = { limit: 1000, minConfidence: 0.9, scale: 1, layout: 'samples', dryRun: false };
    expect(calls.asked).toEqual([
      ['teach', { ...sent, ...plain, device: 'w1', classes: ['upup', 'other'] }],
      ['teach', { ...sent, ...plain, limit: 5, minConfidence: 0.5, scale: 0.03125 }],
      ['teach', { ...sent, ...plain, name: 'big', layout: 'axes', dryRun: true }],
    ]);
  });

  it.each([
    ['a confidence above 1', ['--min-confidence', '1.5'], 'It takes 0 to 1.'],
    ['an unknown layout', ['--layout', 'both'], "It takes 'samples' or 'axes'."],
  ])('is misused with %s', async (_, args, message) => {
    const { status, err } = await ask('teach', 'x.onnx', ...args);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });
});

describe('whetstone labels ask', () => {
  it('lists what was chosen, where its raw samples are, and what is out of reach', async () => {
    const { status, out } = await ask('ask', '10', '--scope', 'device:watch-1');
    expect(status).toBe(0);
    expect(out).toMatch(/^sample +class +device said.*\nwatch-1\/81:17 .* held\n/);
    expect(out).toContain(
      '1 chosen of 30 that can be compared; of 5 more no device holds the raw samples\n',
    );
    expect(calls.asked).toEqual([['askLabels', { count: 10, scope: 'device:watch-1' }]]);
    expect(JSON.parse((await ask('ask', '1', '--json')).out)).toMatchObject({ candidates: 30 });
    const missing = 'no window of fleet has come yet; ask again in a minute';
    calls.askLabels = async () => ({ asked: [], candidates: 0, outOfReach: 0, missing });
    expect((await ask('ask', '10')).out).toBe(`nothing to ask for: ${missing}\n`);
  });
});

describe('whetstone labels', () => {
  it('withdraws the labels of one source', async () => {
    const { out } = await ask('withdraw', 'watch-1/81:17', '--source', 'must-pass');
    expect(out).toBe('watch-1/81:17 has no label now\n');
    const request = { sample: 'watch-1/81:17', source: 'must-pass' };
    expect(calls.asked).toEqual([['withdrawLabel', request]]);
  });

  it('shows the sources and how often they are overruled', async () => {
    const { out } = await ask('sources');
    expect(out).toBe(
      'source  trust  windows  compared  overruled  corrected  withdrawn\n' +
        'device   0.90       40        10          3          1          2\n',
    );
  });

  it('lists what is contradicted with what each source says, and what was asked for', async () => {
    const voice = { trust: 0.9, at: 1, standing: 'outvoted' };
    const contradicted = [{ cls: 'upup', source: 'device', ...voice }];
    calls.labels = async (query) => {
      calls.asked.push(['labels', query]);
      return [fakeLabel('w1/7:1', { cls: 'waggle', source: 'person', contradicted })];
    };
    const { out } = await ask('--contradicted');
    expect(out).toContain('w1/7:1: device upup (trust 0.9, outvoted)\n');
    await ask('--asked');
    expect(calls.asked).toEqual([
      ['labels', { limit: 20, contradicted: true }],
      ['labels', { limit: 20, asked: true }],
    ]);
  });

  it('adds in the name of a person, and says where that does not count', async () => {
    const contradicted = [
      { cls: 'waggle', source: 'must-pass', trust: 1, at: 1, standing: 'counts' },
      { cls: 'upup', source: 'person:ann', trust: 1, at: 2, standing: 'outvoted' },
    ];
    calls.addLabel = async (label) => {
      calls.asked.push(['addLabel', label]);
      return fakeLabel(label.sample, { cls: 'waggle', source: 'must-pass', contradicted });
    };
    const { out } = await ask('add', 'w1', '7:1', 'upup', '--by', 'ann');
    expect(calls.asked).toEqual([
      ['addLabel', { sample: 'w1/7:1', cls: 'upup', source: 'person:ann' }],
    ]);
    expect(out).toContain(
      'upup was noted and does not count; w1/7:1: must-pass waggle (trust 1, counts)',
    );
  });

  it.each(['withdraw', 'import', 'sources', 'ask', 'teach', 'add'])(
    'gives help with an example for %s',
    async (verb) => {
      const { status, out } = await whetstone('labels', verb, '--help');
      expect(status).toBe(0);
      expect(out).toContain(`Example:\n  $ npx whetstone labels ${verb}`);
    },
  );
});
