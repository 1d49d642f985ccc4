import { describe, expect, it } from 'vitest';
import { readLabelCsv } from '../../gateway/label-csv.ts';

const refused = (text: string) =>
  readLabelCsv(text).refused.map(({ line, reason }) => `${line}: ${reason}`);

describe('readLabelCsv()', () => {
  it('reads windows by number and by time, with source and trust where they are there', () => {
    const text =
      '\uFEFFDevice,session,seq,time,class,source,trust\r\n' +
      '"watch, left",7,3,,upup,,\r\n' +
      'w2,,,2026-01-01T10:00:00Z, clap2 ,lab,0.8\n';
    expect(readLabelCsv(text)).toEqual({
      rows: [
        { line: 2, device: 'watch, left', session: 7, seq: 3, cls: 'upup' },
        {
          ...{ line: 3, device: 'w2', time: '2026-01-01T10:00:00Z', cls: 'clap2' },
          ...{ source: 'lab', trust: 0.8 },
        },
      ],
      refused: [],
    });
  });

  it('tells of every bad line with its number and keeps the others', () => {
    const head = 'device,session,seq,class,trust\n';
    const lines = ['w1,7,1,upup,', 'w1,7', ',7,1,upup,', 'w1,7,1,,', 'w1,7,,upup,'];
    const more = ['', 'w1,seven,1,upup,', 'w1,7,-1,upup,', 'w1,7,1,upup,1.2', 'w1,7,2,waggle,1'];
    const text = head + [...lines, ...more].join('\n');
    expect(readLabelCsv(text).rows.map(({ line }) => line)).toEqual([2, 11]);
    expect(refused(text)).toEqual([
      '3: not as many values as columns',
      '4: the device is missing',
      '5: the class is missing',
      '6: session and seq belong together',
      "8: session 'seven' is no number",
      "9: seq '-1' is no number",
      "10: trust '1.2' is not from 0 to 1",
    ]);
  });

  it('tells of a source that names nobody, and keeps who has a name', () => {
    const text =
      'device,time,class,source\nw1,5,a,person:\nw1,5,a,person:ann\nw1,5,a,:x\nw1,5,a,\n';
    expect(readLabelCsv(text).rows.map(({ line }) => line)).toEqual([3, 5]);
    expect(refused(text)).toEqual([
      "2: source 'person:' names nobody",
      "4: source ':x' names nobody",
    ]);
  });

  it('goes on behind a line that is no CSV', () => {
    const text = 'device,time,class\nw1,17"00,upup\nw2,1700000000000,upup\n';
    expect(readLabelCsv(text).rows).toMatchObject([{ line: 3, device: 'w2' }]);
    expect(refused(text)[0]).toMatch(/^2: no CSV: Invalid Opening Quote/);
  });

  it.each([
    ['columns of something else', 'a,b\n1,2\n', /names no columns of labels: a,b/],
    ['a line without an end', `${'1,'.repeat(9000)}1`, /names no columns of labels: (1,){100}…$/],
    ['a class column that is missing', 'device,time\nw1,5\n', /names no columns/],
    ['a column twice', 'device,time,class,class\nw1,5,a,b\n', /names no columns/],
    ['an empty file', '', /no line of labels/],
    ['names of columns alone', 'device,time,class\n', /no line of labels/],
    ['a quote that swallows the rest', 'device,time,class\nw1,"5,a\nw2,6,b\n', /never closed/],
  ])('throws bad-file for %s', (_, text, message) => {
    expect(() => readLabelCsv(text)).toThrow(
      expect.objectContaining({ code: 'bad-file', message: expect.stringMatching(message) }),
    );
  });
});
