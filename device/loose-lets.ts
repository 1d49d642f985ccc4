import type { Edit } from './owned.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

interface Declaration {
  node: AnyNode;
  /** what its names are known in */
  scope: AnyNode;
  names: string[];
  inits: AnyNode[];
}

/** Where variables of each name are read or written under a node, and whether in a function within. */
function mentions(node: AnyNode): { name: string; at: number; inner: boolean; called: boolean }[] {
  const found: { name: string; at: number; inner: boolean; called: boolean }[] = [];
  const visit = (n: AnyNode, parent: AnyNode, inner: boolean): void => {
    const key = parent.computed !== true && (parent.property === n || parent.key === n);
    if (n.type === 'Identifier' && !key) {
      const called = parent.type === 'CallExpression' && parent.callee === n;
      found.push({ name: String(n.name), at: n.start, inner, called });
    }
    const deeper = inner || n.type === 'ArrowFunctionExpression';
    for (const child of children(n)) visit(child, n, deeper);
  };
  for (const child of children(node)) visit(child, node, false);
  return found;
}

/** The `let`s of a function, but for those of functions within it. */
function declarations(body: AnyNode): Declaration[] {
  const found: Declaration[] = [];
  const visit = (node: AnyNode, scope: AnyNode): void => {
    if (node.type === 'VariableDeclaration') {
      const list = node.declarations as { id: AnyNode; init: AnyNode | null }[];
      const names = list.map(({ id }) => String(id.name));
      const inits = list.filter(({ init }) => init !== null) as unknown as AnyNode[];
      found.push({ node, scope, names, inits });
    }
    if (node.type === 'ArrowFunctionExpression') return;
    const inside = /^(Block|For)/.test(node.type) ? node : scope;
    for (const child of children(node))
      if (node.type !== 'ForOfStatement' || child !== node.left) visit(child, inside);
  };
  visit(body, body);
  return found;
}

/**
 * Makes parameters of variables that are declared alone, since `let` takes more room than a comma.
 *
 * A function that is handed on may be called with more arguments than it takes, so that of those only
 * variables with a first value become parameters.
 *
 * @param code a script of arrow functions, with a name for each variable
 * @returns edits, in order, none within another
 * @example looseLets('f=()=>{g=a=>{for(let i=0;i<a;i++)h(i)}}').map((edit) => edit[2]).join('') // '(a,i)'
 */
export function looseLets(code: string): Edit[] {
  const program = treeOf(code);
  const everywhere = mentions(program);
  const edits: Edit[] = [];
  const visit = (node: AnyNode, parent: AnyNode, depth: number): void => {
    const isFunction = node.type === 'ArrowFunctionExpression';
    if (isFunction && depth > 0 && (node.body as AnyNode).type === 'BlockStatement') {
      const name = parent.type === 'VariableDeclarator' ? (parent.id as AnyNode).name : undefined;
      const handedOn = everywhere.filter((m) => m.name === name && !m.called).length > 1;
      const known = parent.callee === node || (name !== undefined && !handedOn);
      edits.push(...loosened(node, code, known));
    }
    for (const child of children(node)) visit(child, node, depth + (isFunction ? 1 : 0));
  };
  visit(program, program, 0);
  return edits.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function loosened(node: AnyNode, code: string, known: boolean): Edit[] {
  const body = node.body as AnyNode;
  const params = (node.params as AnyNode[]).map((param) => String(param.name));
  const all = declarations(body);
  const used = mentions(body);
  let free = all.filter(
    ({ node, scope, names, inits }) =>
      inits.length < 2 &&
      (inits.length === names.length || (known && scope === body)) &&
      !names.some((name) => params.includes(name)) &&
      (scope === body || !used.some((m) => m.inner && names.includes(m.name))) &&
      code.slice(node.start, node.start + 4) === 'let ',
  );
  const within = (at: number, { scope }: Declaration): boolean =>
    at >= scope.start && at < scope.end;
  const clear = (name: string): boolean =>
    all.every((d) => !d.names.includes(name) || free.includes(d)) &&
    used.every(
      (m) => m.name !== name || free.some((d) => d.names.includes(name) && within(m.at, d)),
    );
  for (let before = -1; before !== free.length; ) {
    before = free.length;
    free = free.filter(({ names }) => names.every(clear));
  }
  const added = [...new Set(free.flatMap(({ names }) => names))];
  if (added.length === 0) return [];
  const edits = free.flatMap(({ node, inits }): Edit[] => {
    const init = inits[0];
    if (init === undefined) return [[node.start, node.end, '']];
    const end = code[node.end - 1] === ';' ? node.end - 1 : node.end;
    return [
      [node.start, init.start, ''],
      [init.end, end, ''],
    ];
  });
  const arrow = code.lastIndexOf('=>', body.start);
  edits.push([node.start, arrow, `(${[...params, ...added]})`]);
  return edits;
}
