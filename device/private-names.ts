import { type AnyNode, children, treeOf } from './tree.ts';

/** Names that the world outside the bundle uses: Espruino's, the options of a start, and `W`'s. */
const outside = [
  'read write erase erasePage readJSON eraseAll memoryArea toArrayBuffer toUint8Array CRC32 hwRand',
  'convolve setConsole setup force path rx tx on id port baud serial tier sample window',
  'whetstone W x y z acc accelOn AES SHA1 encrypt mode',
].flatMap((line) => line.split(' '));

/** Names that built-in objects have too, but that the device's code uses for its own alone. */
const own = new Set(['at', 'raw', 'seal', 'values']);

/** Every name that some built-in object of the language has: one could be behind any dot. */
function builtIn(): Set<string> {
  const names = new Set(outside);
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
    if (seen.has(value)) return;
    seen.add(value);
    for (const name of Object.getOwnPropertyNames(value)) names.add(name);
    visit(Object.getPrototypeOf(value));
    visit((value as { prototype?: unknown }).prototype);
  };
  for (const type of [
    Object,
    Function,
    Array,
    Number,
    Boolean,
    String,
    RegExp,
    Math,
    JSON,
    Date,
    Error,
    Promise,
    ArrayBuffer,
    DataView,
    Float32Array,
    Float64Array,
    Int8Array,
    Int16Array,
    Int32Array,
    Uint8Array,
    Uint16Array,
    Uint32Array,
  ]) {
    visit(type);
  }
  return names;
}

/**
 * Short names for properties, the shortest for the most frequent.
 *
 * @param names see privateNames
 * @param code the script before minifying
 * @returns a cache as terser takes it
 * @example shortNames(['at', 'margin'], 'o.margin + o.margin - o.at') // { props: { props: { $margin: 'a', $at: 'b' } } }
 */
export function shortNames(
  names: readonly string[],
  code: string,
): { props: { props: Record<string, string> } } {
  const uses = (name: string): number => code.split(new RegExp(`\\.${name}\\b|\\b${name}:`)).length;
  const sorted = [...names].sort((a, b) => uses(b) - uses(a));
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_'].filter(
    (letter) => !outside.includes(letter),
  );
  const two = letters.flatMap((a) => letters.map((b) => a + b));
  const short = [...letters, ...two].filter((name) => !words.has(name));
  return { props: { props: Object.fromEntries(sorted.map((name, i) => [`$${name}`, short[i]])) } };
}

/** Two letters that cannot be a name, or that some object of the world outside has. */
const words = new Set(['id', 'on', 'rx', 'tx', 'do', 'if', 'in', 'of', 'as', 'is', 'E', 'W', 'PI']);

/**
 * Names of properties that can be shortened: those that only the bundle's own objects have.
 *
 * A name is one of them when an object literal of the script has it as its key and nothing outside
 * the script does: no built-in object, no part of Espruino, no option, nothing of `W`.
 *
 * @param code the script before minifying
 * @returns the names, sorted
 * @example privateNames('f({ margin: 1, length: 2 })') // ['margin']
 */
export function privateNames(code: string): string[] {
  const reserved = builtIn();
  const names = new Set<string>();
  const visit = (node: AnyNode): void => {
    if (node.type === 'Property' && node.computed !== true) {
      const key = node.key as AnyNode;
      const name = String(key.name ?? key.value);
      const free = own.has(name) || !reserved.has(name);
      if (free && /^[A-Za-z_$][\w$]*$/.test(name)) names.add(name);
    }
    for (const child of children(node)) visit(child);
  };
  visit(treeOf(code));
  return [...names].sort();
}
