import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { BUDGET_BYTES, buildBundle, TFLM_BYTES } from '../../device/build.ts';
import { compact } from '../../device/compact.ts';
import { inlined } from '../../device/constants.ts';
import { looseLets } from '../../device/loose-lets.ts';
import { edited } from '../../device/owned.ts';
import { passNames } from '../../device/pass-names.ts';
import { privateNames, shortNames } from '../../device/private-names.ts';
import { settled, singles } from '../../device/singles.ts';
import { tighten } from '../../device/tighten.ts';
import { boardNames, loadBoard } from '../../gateway/board.ts';
import { loadTask, taskNames } from '../../gateway/task.ts';

const espruinos = boardNames().filter((name) => loadBoard(name).family === 'espruino');

/** The least room, each suite, and the most tiers: with every task. The others with one. */
const EVERY_TASK = ['puckjs', 'pixljs', 'banglejs2'];

for (const board of espruinos) {
  for (const task of EVERY_TASK.includes(board) ? taskNames() : ['gesture']) {
    const suite = loadBoard(board).suites[0]!; // the strongest: what a real board uses
    test(`buildBundle() stays in the budget for ${board} with ${suite} and the task ${task}`, async () => {
      const profile = loadBoard(board);
      const budget = BUDGET_BYTES + (profile.tiers.includes('tflm') ? TFLM_BYTES : 0);
      const { code, bytes } = await buildBundle({ board: profile, task: loadTask(task), suite });
      console.log(`${board} ${task}: ${bytes} of ${budget} bytes`);
      expect(() => new Script(code)).not.toThrow();
      expect(bytes).toBe(Buffer.byteLength(code));
      expect(bytes).toBeLessThanOrEqual(budget);
    });
  }
}

test('buildBundle() reports the bytes of every module, largest first', async () => {
  const board = loadBoard('puckjs');
  const { report, bytes } = await buildBundle({ board, task: loadTask('gesture') });
  expect(report.reduce((sum, row) => sum + row.bytes, 0)).toBe(bytes);
  const names = report.map(({ module }) => module);
  for (const part of ['kernel', 'model', 'link', 'update', 'slot', 'device', 'frame', 'cbor']) {
    expect(names).toContain(`device/core/${part}.ts`);
  }
  expect(report.map(({ bytes }) => bytes)).toEqual(
    report.map(({ bytes }) => bytes).sort((a, b) => b - a),
  );
});

test("buildBundle() puts a sensor's driver only into the bundles of its board", async () => {
  const task = loadTask('gesture');
  const has = async (name: string): Promise<boolean[]> => {
    const { code } = await buildBundle({ board: loadBoard(name), task });
    return [code.includes('Bangle.on'), code.includes('Puck.accelOn')];
  };
  expect(await has('banglejs2')).toEqual([true, false]);
  expect(await has('puckjs')).toEqual([false, true]);
  expect(await has('espruino-linux')).toEqual([false, false]);
});

test('compact() rewrites only what means the same', () => {
  const code = 'const a = 1; function f(x) { return x === a } f(1)';
  expect(compact(code)).toBe('let a = 1; let f = (x) => { return x == a }; f(1)');
  const often = 'Math.max(1) + Math.max(2) + Math.max(3) + Math.max(4)';
  expect(compact(often).split('Math.max').length).toBe(2);
});

test('privateNames() leaves every name that something outside the script could have', () => {
  const code = 'f({ margin: 1, length: 2, read: 3, write: 4, id: 5, "a-b": 6, sample(x) {} })';
  expect(privateNames(code)).toEqual(['margin']);
});

test('shortNames() gives the shortest names to what is used most, and none of the outside', () => {
  expect(shortNames(['at', 'margin'], 'o.margin + o.margin - o.at')).toEqual({
    props: { props: { $margin: 'a', $at: 'b' } },
  });
  const many = Array.from({ length: 400 }, (_, i) => `name${i}`);
  const short = Object.values(shortNames(many, '').props.props);
  expect(new Set(short).size).toBe(400);
  for (const name of ['E', 'W', 'x', 'y', 'z', 'id', 'on', 'rx', 'tx']) {
    expect(short).not.toContain(name);
  }
});

test('tighten() makes an expression of a body, and a variable of a frequent name', () => {
  const code = '(()=>{let f=a=>{let b=a.length;return b*b};f([1])})()';
  const apply = (names: string[]): string => edited(owned(code), tighten(code, names)).text;
  expect(apply(['$'])).toBe('(()=>{let $="length",f=(a,b)=>(b=a[$],b*b);f([1])})()');
});

test('tighten() keeps a member that is asked of what has been assigned', () => {
  const code = '(()=>{let a;(a=[]).length})()';
  expect(edited(owned(code), tighten(code, ['$'])).text).toContain('(a=[])[$]');
});

test('passNames() lets a function use what it is given, unless either is assigned to', () => {
  const pass = (code: string): string => edited(owned(code), passNames(code)).text;
  expect(pass('f=x=>(y=>y*y)(x)')).toBe('f=x=>(()=>x*x)()');
  expect(pass('f=x=>(y=>({y,z:y}))(x)')).toBe('f=x=>(()=>({y:x,z:x}))()');
  expect(pass('f=x=>(y=>y++)(x)')).toBe('f=x=>(y=>y++)(x)');
  expect(pass('f=x=>(y=>{let x=1;return x+y})(x)')).toBe('f=x=>(y=>{let x=1;return x+y})(x)');
});

test('looseLets() leaves what a caller could set, and what a function within remembers', () => {
  const loose = (code: string): string => edited(owned(code), looseLets(code)).text;
  expect(loose('f=()=>{g=a=>{for(let i=0;i<a;i++)h(i)}}')).toBe(
    'f=()=>{g=(a,i)=>{for(i=0;i<a;i++)h(i)}}',
  );
  const handedOn = 'f=()=>{h(a=>{let b;a&&(b=1);return b})}';
  expect(loose(handedOn)).toBe(handedOn);
  const remembered = 'f=()=>{g=a=>{for(let i=0;i<a;i++)h(()=>i)}}';
  expect(loose(remembered)).toBe(remembered);
});

test('inlined() puts constants in the place of the configuration, in the core alone', () => {
  const code =
    '// device/core/a.ts\nf(s.c.page, host.page, s.page, c.read);\n// device/b.ts\nf(c.page)';
  expect(inlined(code, { page: 4096 })).toBe(
    '// device/core/a.ts\nf(4096, 4096, s.page, c.read);\n// device/b.ts\nf(c.page)',
  );
});

test('singles() makes variables of a state, and refuses one that is used as a whole', () => {
  const code = (use: string): string =>
    '// device/core/link.ts\nfunction start(n) {\n  return { made: n, up: true };\n}\n' +
    'function next(s, by) {\n  s.made += by;\n  return s.up;\n}\n' +
    `// device/core/device.ts\nconst link = start(3);\n${use}`;
  const made = singles(code('next(link, 2); out(link.made);'));
  const out: unknown[] = [];
  new Function('out', made)((value: unknown) => out.push(value));
  expect(out).toEqual([5]);
  expect(made).not.toMatch(/\blink\.(?!ts$)|\bs\./m); // but the names of modules
  expect(() => singles(code('out([link]);'))).toThrow(/link is used as a whole/);
});

test('settled() replaces what is set once, and leaves what is counted', () => {
  const settle = (code: string): string => edited(owned(code), settled(code)).text;
  expect(settle('let link_a;link_a=8;f(link_a)')).toBe('let link_a;8;f(8)');
  for (const code of [
    'let link_a;link_a=8;link_a++',
    'let link_a;link_a=8;--link_a',
    'let link_a;link_a=8,link_a+=1',
    'let link_a;link_a=f(8);f(link_a)',
  ]) {
    expect(settle(code)).toBe(code);
  }
});

const owned = (text: string) => ({ text, owners: [...text].map(() => 'a') });
