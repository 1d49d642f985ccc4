import { type AnyNode, children, treeOf } from './tree.ts';

/** Uses from which on a name of the language is worth a name of its own. */
const OFTEN = 3;

/** What the host does with flash: names that Espruino's own objects have as well. */
const HOST = ['read', 'write', 'erase'];

/** Finds the module that a place of a bundle is of: esbuild writes its path above it. */
export function modules(code: string): (at: number) => string {
  const starts = [...code.matchAll(/^\s*\/\/ (\S+\.ts)$/gm)];
  return (at) => starts.findLast(({ index }) => index <= at)?.[1] ?? '';
}

/**
 * Rewrites a script so that minifying leaves less of it, in ways that hold for the subset that the
 * device's code is written in (values of one type, no `this`, functions in order of use):
 *
 * - function declarations become arrow functions,
 * - `const` becomes `let`, `===` becomes `==`, which it equals between values of one type,
 * - the host's flash functions, by their modules, get names that are the bundle's own,
 * - often used members of Math and typed arrays get a variable, which minifying then shortens.
 *
 * @param code a script
 * @returns an equivalent one
 * @example compact('const a = 1; a === 2') // 'let a = 1; a == 2'
 */
export function compact(code: string): string {
  const edits: [start: number, end: number, text: string][] = [];
  const natives = new Map<string, AnyNode[]>();
  const note = (name: string, node: AnyNode): void => {
    natives.set(name, [...(natives.get(name) ?? []), node]);
  };
  const moduleOf = modules(code);
  const visit = (node: AnyNode): void => {
    const property = (node.property ?? node.key) as AnyNode | undefined;
    if (property !== undefined && HOST.includes(String(property.name))) {
      const ours = node.type === 'Property' ? /flash\.ts$/ : /\/core\//;
      if (ours.test(moduleOf(node.start))) edits.push([property.start, property.start, 'host_']);
    }
    if (node.type === 'FunctionDeclaration') {
      const name = String((node.id as AnyNode).name);
      const body = node.body as AnyNode;
      const header = code.slice((node.id as AnyNode).end, body.start);
      edits.push([node.start, body.start, `let ${name} = ${header.trim()} => `]);
      edits.push([node.end, node.end, ';']);
    }
    if (node.type === 'VariableDeclaration' && node.kind !== 'let') {
      edits.push([node.start, node.start + String(node.kind).length, 'let']);
    }
    if (node.type === 'BinaryExpression' && /^[=!]==$/.test(String(node.operator))) {
      const from = code.indexOf(String(node.operator), (node.left as AnyNode).end);
      edits.push([from, from + 3, String(node.operator).slice(0, 2)]);
    }
    if (node.type === 'MemberExpression' && (node.object as AnyNode).name === 'Math') {
      note(`Math.${(node.property as AnyNode).name}`, node);
    }
    if (node.type === 'Identifier' && /^[A-Z]\w+\d+Array$/.test(String(node.name))) {
      note(String(node.name), node);
    }
    for (const child of children(node)) visit(child);
  };
  const program = treeOf(code);
  visit(program);
  let head = '';
  for (const [name, nodes] of natives) {
    if (nodes.length < OFTEN) continue;
    const alias = `native_${name.replace('.', '_')}`;
    head += `let ${alias} = ${name};\n`;
    for (const node of nodes) edits.push([node.start, node.end, alias]);
  }
  let out = code;
  edits.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  for (const [start, end, text] of edits) out = out.slice(0, start) + text + out.slice(end);
  return head + out;
}
