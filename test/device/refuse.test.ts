import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { refuse } from '../../device/refuse.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../support/run-espruino.ts';

/** Each construct that Espruino lacks: what the refusal calls it, and code that makes `ok` true. */
const constructs: [name: string, code: string][] = [
  ['async function', 'var f = async function () {}; ok = f() instanceof Promise'],
  ['generator', 'var f = function* () { yield 1 }; ok = f().next().value === 1'],
  ['destructuring', 'var { a } = { a: 5 }; ok = a === 5'],
  ['destructuring', 'var f = function ([a]) { return a }; ok = f([5]) === 5'],
  ['spread', 'ok = Math.max(...[1, 7]) === 7'],
  ['spread', 'ok = [...[1, 7]].length === 2'],
  ['rest parameter', 'var f = function (...a) { return a.length }; ok = f(1, 2) === 2'],
  ['default parameter', 'var f = function (a = 3) { return a }; ok = f() === 3'],
  ['**', 'ok = 2 ** 3 === 8'],
  ['**', 'var a = 2; a **= 3; ok = a === 8'],
  ['logical assignment', 'var a; a ??= 4; ok = a === 4'],
  ['logical assignment', 'var a = 1; a &&= 4; ok = a === 4'],
  ['optional chaining', 'var a; ok = a?.b === undefined'],
  ['BigInt literal', "ok = typeof 5n === 'bigint'"],
  ['label', 'a: for (;;) { for (;;) { ok = true; break a } }'],
  ['new.target', 'var f = function () { return new.target === f }; ok = new f() !== 1'],
  ['computed key', "ok = ({ ['a' + 1]: 4 }).a1 === 4"],
  ['tagged template', "var f = function (s) { return s[0] }; ok = f`a` === 'a'"],
  ['assignment to length', 'var a = [1, 2]; a.length = 1; ok = a.length === 1'],
  ['regular expression with groups', "ok = /a(?=b)/.test('ab')"],
  ['regular expression with groups', "ok = /(?<=a)b/.test('ab')"],
  ['regular expression with groups', "ok = /(?<y>a)/.exec('a').groups.y === 'a'"],
  ['regular expression with back', "ok = /^(a)\\1$/.test('aa')"],
  ['regular expression with a flag', "ok = !/b/y.test('ab')"],
  ['Map', 'ok = new Map([[1, 2]]).get(1) === 2'],
  ['Set', 'ok = new Set([1]).has(1)'],
  ['Symbol', "ok = typeof Symbol() === 'symbol'"],
  ['Array.from', 'ok = Array.from([4])[0] === 4'],
  ['Math.imul', 'ok = Math.imul(2, 3) === 6'],
  ['hoisting of functions', 'ok = f() === 3; function f() { return 3 }'],
  ['hoisting of functions', 'ok = (function () { return f(); function f() { return true } })()'],
  ['hoisting of variables', 'var b = 1; (function () { b = 2; var b })(); ok = b === 1'],
  [
    'hoisting of variables',
    'var b = 1; (function () { (() => { b = 2 })(); var b })(); ok = b === 1',
  ],
  [
    'hoisting of variables',
    'var b = 1; (() => { for (b = 2; b < 4; b++); var b })(); ok = b === 1',
  ],
];

const quoted = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

for (const [name, code] of constructs) {
  test(`refuse() names construct and place when a script has ${name}: ${code}`, () => {
    expect(runInNewContext(`var ok = false; ${code}; ok`)).toBe(true);
    expect(() => refuse(`var ok;\n${code}`)).toThrow(
      new RegExp(`^Espruino has no ${quoted(name)}.*: line 2, column \\d+: `),
    );
  });
}

test('refuse() takes a script when it has only what Espruino runs', () => {
  const code = `
    var m = { Map: 1, get length() { return 2 }, f(a) { return a } };
    let a = (x) => x + m.Map, c = function (x) { return later(x) };
    const t = \`\${a(1)}\`;
    function later(x) { return x ?? 4 }
    class K { n = 3; m() { return /a(?:b)/gi.test('ab') } }
    for (var i of [1]) { switch (i) { case 1: later(i); break; default: } }
    try { c(1) } catch { } finally { t }
    function calls() { (function (v) { v = 1; let w = v })(1); const f = () => v; var v = 2, w; return f }
  `;
  expect(() => refuse(code)).not.toThrow();
});

test.skipIf(!espruinoPath())(
  `refuse() refuses nothing that the real Espruino has${skippedEspruino}`,
  async () => {
    const lines = constructs.map(
      ([, code], i) =>
        `ok=false;try{eval(${JSON.stringify(code)})}catch(e){ok=false}print(${i},ok);`,
    );
    const said = await runEspruino(`var ok;\n${lines.join('\n')}`);
    const working = [...said.matchAll(/^(\d+) true$/gm)].map((m) => constructs[Number(m[1])]);
    expect(working).toEqual([]);
  },
);
