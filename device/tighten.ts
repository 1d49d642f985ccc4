import type { Edit } from './owned.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

/**
 * Members that are used so often that a name for their name pays, as a variable's: `a[b]` for
 * `a.length`. Only what is never asked of something that has it not: there `a[b]` throws.
 */
const MEMBERS = ['length', 'subarray', 'push', 'byteOffset', 'indexOf', 'set'];

/**
 * Finds what shortens a minified script further, in ways that minifiers leave out since they change a
 * function's `length` or take longer: what a function declares becomes a parameter where its body then
 * is one expression, and the names of frequent members become variables.
 *
 * A caller may give more arguments than there were parameters, so only what is set before it is used
 * becomes one.
 *
 * @param code one arrow function, called, whose body begins with `let`
 * @param names unused in the script, at most as many as there are frequent members
 * @param isHot whether a place is where looking a variable up would cost time that counts
 * @returns edits that make an equivalent script, in order, none within another
 * @example tighten('(()=>{let f=a=>{let b=a+1;return b*b};f(1)})()', []).map((edit) => edit[2]).join('') // '(,b)(,)'
 */
export function tighten(
  code: string,
  names: readonly string[],
  isHot: (at: number) => boolean = () => false,
): Edit[] {
  const edits: Edit[] = [];
  const members = new Map(names.map((name, i) => [MEMBERS[i]!, name]));
  const visit = (node: AnyNode): void => {
    if (node.type === 'ArrowFunctionExpression') edits.push(...expression(node, code));
    if (node.type === 'MemberExpression' && node.computed !== true) {
      const property = node.property as AnyNode;
      const name = members.get(String(property.name));
      const short = name !== undefined && !isHot(node.start);
      if (short) edits.push([property.start - 1, node.end, `[${name}]`]);
    }
    for (const child of children(node)) visit(child);
  };
  visit(treeOf(code));
  const start = code.indexOf('let ') + 4;
  const declared = [...members].map(([member, name]) => `${name}="${member}",`);
  edits.push([start, start, declared.join('')]);
  return edits.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** Edits that make a function's block one expression; none where that is longer or cannot be. */
function expression(node: AnyNode, code: string): Edit[] {
  const body = node.body as AnyNode;
  const statements = body.type === 'BlockStatement' ? (body.body as AnyNode[]) : [];
  const last = statements.at(-1);
  if (last?.type !== 'ReturnStatement' || last.argument === null) return [];
  const added: string[] = [];
  const edits: Edit[] = [[body.start, body.start + 1, '(']];
  for (const statement of statements.slice(0, -1)) {
    if (statement.type === 'VariableDeclaration') {
      const declarations = statement.declarations as { id: AnyNode; init: AnyNode | null }[];
      if (declarations.some(({ init }) => init === null)) return [];
      added.push(...declarations.map(({ id }) => String(id.name)));
      edits.push([statement.start, declarations[0]!.id.start, '']);
    } else if (statement.type !== 'ExpressionStatement') return [];
    edits.push([statement.end - 1, statement.end, ',']);
  }
  const value = last.argument as AnyNode;
  edits.push([last.start, value.start, ''], [last.argument ? body.end - 1 : 0, body.end, ')']);
  if (code[body.end - 2] === ';') return [];
  const params = node.params as AnyNode[];
  const first = params[0];
  const bare = first !== undefined && code[node.start] !== '(';
  const at = params.at(-1)?.end ?? node.start + 1;
  if (added.length > 0) {
    if (bare) edits.push([node.start, node.start, '(']);
    edits.push([at, at, `${first ? ',' : ''}${added}${bare ? ')' : ''}`]);
  }
  const gain = edits.reduce((sum, [from, to, text]) => sum + to - from - text.length, 0);
  return gain > 0 ? edits : [];
}
