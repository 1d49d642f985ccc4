import { parse } from 'acorn';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { edited } from '../../device/owned.ts';
import { shortVariables } from '../../device/short-variables.ts';

const short = (code: string): string =>
  edited({ text: code, owners: [...code] }, shortVariables(code)).text;

test('shortVariables() gives the shortest names to what is mentioned most, and hides nothing', () => {
  expect(short('let long=1;f(long,long)')).toBe('let e=1;f(e,e)');
  expect(short('let a=1,b=e=>b(a,a,a,e);b({a},()=>{let c=b;return c})')).toBe(
    'let e=1,t=r=>t(e,e,e,r);t({a:e},()=>{let e=t;return e})',
  );
  const many = `let ${Array.from({ length: 200 }, (_, i) => `v${i}=${i}`)};f(v7,v199)`;
  const seen: number[] = [];
  new Function('f', short(many))((...values: number[]) => seen.push(...values));
  expect(seen).toEqual([7, 199]);
});

test('shortVariables() gives no variable of a body the name of a parameter that nothing uses', () => {
  expect(short('f((a,b)=>{let c=1,d=2;return c+c+c+d+d})')).toBe(
    'f((r,n)=>{let e=1,t=2;return e+e+e+t+t})',
  );
  expect(short('try{f()}catch(a){let b;f(b,b)}')).toBe('try{f()}catch(t){let e;f(e,e)}');
});

test('shortVariables() renames a `var` in all of its function', () => {
  expect(short('f(()=>{for(let a of g){let b=a;if(b)var c=b}return c})')).toBe(
    'f(()=>{for(let t of g){let e=t;if(e)var r=e}return r})',
  );
  expect(short('f(a=>{var a=1;var a})')).toBe('f(e=>{var e=1;var e})');
});

test('shortVariables() knows the names of functions and classes, and what cases declare', () => {
  expect(short('function a(b){return a}f(function a(){a()});g(class a{a(){a}})')).toBe(
    'function e(t){return e}f(function e(){e()});g(class e{a(){e}})',
  );
  expect(short('let a=1;switch(a){case a:let b;f(b,b)}')).toBe(
    'let e=1;switch(e){case e:let t;f(t,t)}',
  );
  expect(short('switch(1){case 1:let b;f(b)}f(b)')).toBe('switch(1){case 1:let e;f(e)}f(b)');
});

test('shortVariables() refuses a `var` with the name of what is caught', () => {
  expect(() => short('try{f()}catch(a){var a}')).toThrow(
    /a is declared in a block that knows another a/,
  );
});

/** The names are some of those that are given first, so that what stands in the way is met often. */
const name = fc.constantFrom('e', 't', 'r', 'long');
/** A list of statements, without those that declare what another one declares. */
const listed = (list: string[]): string =>
  list
    .filter((statement, i) => {
      const [, name] = /^(?:let|var|function) (\w+)/.exec(statement) ?? [];
      const again = new RegExp(`^(let|var|function) ${name}\\b`);
      return name === undefined || !list.slice(0, i).some((other) => again.test(other));
    })
    .join(';');
const { statement } = fc.letrec<{ body: string; statement: string; value: string }>((tie) => ({
  body: fc.array(tie('statement'), { maxLength: 3 }).map(listed),
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'max' },
    fc.nat(9).map(String),
    name,
    fc.tuple(name, name).map(([a, b]) => `({${a},${b}:1}).${a}`),
    fc
      .tuple(fc.uniqueArray(name, { maxLength: 3 }), tie('body'), tie('value'))
      .map(([names, inner, value]) => `((${names})=>{${inner};return ${value}})(1,2)`),
    fc.tuple(name, name, tie('body')).map(([a, b, inner]) => `(function ${a}(${b}){${inner}})(3)`),
  ),
  statement: fc.oneof(
    { maxDepth: 3, depthSize: 'max' },
    tie('value').map((value) => `try{out(${value})}catch{out('thrown')}`),
    fc.tuple(name, tie('value')).map(([a, value]) => `let ${a}=${value}`),
    fc.tuple(name, tie('value')).map(([a, value]) => `var ${a}=${value}`),
    fc.tuple(name, tie('value')).map(([a, value]) => `try{${a}=${value}}catch{}`),
    tie('body').map((inner) => `{${inner}}`),
    fc.tuple(name, name, tie('body')).map(([a, b, inner]) => `function ${a}(${b}){${inner}}`),
    fc.tuple(name, tie('body')).map(([a, inner]) => `try{throw 4}catch(${a}){${inner}}`),
    fc.tuple(name, tie('body')).map(([a, inner]) => `for(let ${a} of [5,6]){${inner}}`),
  ),
}));

/** What a program tells of itself, or undefined if it is none. */
function told(code: string): unknown[] | undefined {
  try {
    parse(code, { ecmaVersion: 'latest' });
  } catch {
    return undefined;
  }
  const seen: unknown[] = [];
  const out = (value: unknown): unknown => seen.push(typeof value === 'function' ? 'f' : value);
  try {
    new Function('out', 'e', 't', 'r', 'long', code)(out, 'E', 'T', 'R', 'LONG');
  } catch (error) {
    seen.push((error as Error).name);
  }
  return seen;
}

test('shortVariables() leaves what a program does', () => {
  let ran = 0;
  fc.assert(
    fc.property(fc.array(statement, { minLength: 2, maxLength: 4 }), (inner) => {
      const code = `(()=>{${listed(inner)}})()`;
      const before = told(code);
      fc.pre(before !== undefined);
      let renamed: string;
      try {
        renamed = short(code);
      } catch (error) {
        fc.pre(!/knows another/.test(String(error)));
        throw error;
      }
      ran += before!.length > 2 ? 1 : 0;
      expect(told(renamed), renamed).toEqual(before);
    }),
    { numRuns: 500, maxSkipsPerRun: 100 },
  );
  expect(ran).toBeGreaterThan(100);
});
