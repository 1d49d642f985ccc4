import type { Edit } from './owned.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

/** Names of variables that something under a node declares, and those it assigns. */
function namesIn(node: AnyNode): { declared: string[]; assigned: string[] } {
  const declared: string[] = [];
  const assigned: string[] = [];
  const visit = (inner: AnyNode): void => {
    if (inner.type === 'VariableDeclarator') declared.push(String((inner.id as AnyNode).name));
    if (inner.type === 'ArrowFunctionExpression') {
      declared.push(...(inner.params as AnyNode[]).map((param) => String(param.name)));
    }
    if (inner.type === 'AssignmentExpression') assigned.push(String((inner.left as AnyNode).name));
    if (inner.type === 'UpdateExpression') assigned.push(String((inner.argument as AnyNode).name));
    for (const child of children(inner)) visit(child);
  };
  visit(node);
  return { declared, assigned };
}

/**
 * Takes parameters from functions that are called where they stand, when the argument is a variable:
 * the function can use that one, as long as neither is ever assigned to.
 *
 * @param code a script of arrow functions
 * @returns edits, in order, for one function in a call of functions; none when there is nothing left
 * @example passNames('f=x=>(y=>y*y)(x)').map((edit) => edit[2]).join() // '(),x,x,'
 */
export function passNames(code: string): Edit[] {
  const program = treeOf(code);
  const everywhere = new Set(namesIn(program).assigned);
  let found: Edit[] = [];
  const visit = (node: AnyNode): void => {
    if (found.length > 0) return;
    const callee = node.type === 'CallExpression' ? (node.callee as AnyNode) : undefined;
    if (callee?.type === 'ArrowFunctionExpression') found = passed(node, callee, code, everywhere);
    if (found.length === 0) for (const child of children(node)) visit(child);
  };
  visit(program);
  return found;
}

function passed(call: AnyNode, callee: AnyNode, code: string, everywhere: Set<string>): Edit[] {
  const params = callee.params as AnyNode[];
  const given = call.arguments as AnyNode[];
  const body = namesIn(callee.body as AnyNode);
  const i = params.findIndex((param, k) => {
    const argument = given[k];
    const [name, value] = [String(param.name), String(argument?.name)];
    return (
      argument?.type === 'Identifier' &&
      given.length === params.length &&
      !everywhere.has(name) &&
      !everywhere.has(value) &&
      !body.declared.includes(name) &&
      !body.declared.includes(value) &&
      !params.some((other, j) => j !== k && other.name === value)
    );
  });
  if (i < 0) return [];
  const [name, value] = [String(params[i]!.name), String(given[i]!.name)];
  const edits: Edit[] = [];
  const visit = (node: AnyNode, parent: AnyNode): void => {
    const key = parent.computed !== true && (parent.property === node || parent.key === node);
    if (node.type === 'Identifier' && node.name === name && !key) {
      // { name } says the key as well
      const shorthand = parent.type === 'Property' && parent.shorthand === true;
      edits.push([node.start, node.end, shorthand ? `${name}:${value}` : value]);
    }
    for (const child of children(node)) visit(child, node);
  };
  visit(callee.body as AnyNode, callee);
  const rest = params.filter((_, k) => k !== i).map((param) => param.name);
  const arrow = code.lastIndexOf('=>', (callee.body as AnyNode).start);
  edits.push([callee.start, arrow, `(${rest})`]);
  const left = given.filter((_, k) => k !== i);
  const texts = left.map((argument) => code.slice(argument.start, argument.end));
  edits.push([given[0]!.start, given.at(-1)!.end, texts.join(',')]);
  return edits.sort((a, b) => a[0] - b[0]);
}
