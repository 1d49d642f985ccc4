import { fstatSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultStyle, jsonLog, lineLog } from '../../gateway/log.ts';
import { capture } from './cli/run.ts';

describe('jsonLog()', () => {
  it('writes one JSON object a line, with the level by its name and the time for people', () => {
    const out = capture();
    const log = jsonLog(out);
    log.warn({ kind: 'alarm.raised' }, 'ALARM watch-3');
    log.error({ err: new Error('broken') }, 'GET /api/x: broken');
    const [first, second] = out.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toEqual({
      ...{ level: 'warn', kind: 'alarm.raised', msg: 'ALARM watch-3' },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(second.err).toMatchObject({ type: 'Error', message: 'broken' });
    expect(second.err.stack).toContain('log.test.ts');
  });
});

describe('lineLog()', () => {
  it('tells bad news alone', () => {
    const err = capture();
    const log = lineLog(err);
    log.info({}, 'all is well');
    log.error({ err: new Error('x') }, 'GET /api/x: broken');
    expect(err.text).toBe('whetstone: GET /api/x: broken\n');
  });
});

describe('defaultStyle()', () => {
  it('is JSON where the journal reads this very output, and lines elsewhere', () => {
    const fd = openSync('/dev/null', 'w');
    const { dev, ino } = fstatSync(fd);
    expect(defaultStyle({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe('json');
    // of a terminal that systemd started: its variable is there, its socket is not
    expect(defaultStyle({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd)).toBe('lines');
    expect(defaultStyle({}, fd)).toBe('lines');
    expect(defaultStyle({ JOURNAL_STREAM: `${dev}:${ino}` }, 9999)).toBe('lines');
  });
});
