import { type AnyNode, children, treeOf } from './tree.ts';

const regex = (node: AnyNode): { pattern: string; flags: string } =>
  (node.regex as { pattern: string; flags: string } | undefined) ?? { pattern: '', flags: '' };

/** What each construct is called in the refusal; a node for which a test says yes is refused. */
const refused: [string, (node: AnyNode) => boolean][] = [
  ['async function', (n) => n.async === true],
  ['await', (n) => n.type === 'AwaitExpression'],
  ['generator', (n) => n.generator === true],
  ['destructuring', (n) => n.type === 'ObjectPattern' || n.type === 'ArrayPattern'],
  ['spread', (n) => n.type === 'SpreadElement'],
  ['rest parameter', (n) => n.type === 'RestElement'],
  ['default parameter', (n) => n.type === 'AssignmentPattern'],
  ['**', (n) => n.operator === '**' || n.operator === '**='],
  ['logical assignment', (n) => ['&&=', '||=', '??='].includes(String(n.operator))],
  ['optional chaining', (n) => n.type === 'ChainExpression'],
  ['BigInt literal', (n) => n.type === 'Literal' && typeof n.bigint === 'string'],
  ['label', (n) => n.type === 'LabeledStatement'],
  ['new.target', (n) => n.type === 'MetaProperty'],
  ['computed key', (n) => n.type === 'Property' && n.computed === true],
  ['tagged template', (n) => n.type === 'TaggedTemplateExpression'],
  [
    'assignment to length',
    (n) => n.type === 'AssignmentExpression' && keyOf(n.left as AnyNode) === 'length',
  ],
  [
    'regular expression with groups of kind (?…) but (?:…)',
    (n) => /\(\?[^:]/.test(regex(n).pattern),
  ],
  ['regular expression with back references', (n) => /\\[1-9k]/.test(regex(n).pattern)],
  ['regular expression with a flag other than g and i', (n) => /[^gi]/.test(regex(n).flags)],
];

/** Globals of the language that Espruino does not have. */
const absent = new Set(
  'Map Set WeakMap WeakSet WeakRef Symbol Proxy Reflect Intl BigInt BigInt64Array Atomics'.split(
    ' ',
  ),
);
const absentMembers = new Set(['Array.from', 'Array.of', 'Math.imul', 'Math.trunc', 'Math.fround']);

function keyOf(node: AnyNode): string {
  if (node?.type !== 'MemberExpression' || node.computed === true) return '';
  return String((node.property as AnyNode).name);
}

const isFunction = (node: AnyNode): boolean => /Function/.test(node.type);

/** Whether a name is a binding of the language rather than the key of a member or a property. */
function reads(parent: AnyNode | undefined, node: AnyNode): boolean {
  if (parent?.type === 'MemberExpression')
    return parent.computed === true || parent.object === node;
  return !(parent?.type === 'Property' && parent.key === node && parent.shorthand !== true);
}

/** The first mention of a function, outside other functions, before it is declared. */
function early(body: AnyNode[]): AnyNode | undefined {
  const later = new Set(
    body
      .filter((statement) => statement.type === 'FunctionDeclaration')
      .map((statement) => String((statement.id as AnyNode).name)),
  );
  const search = (node: AnyNode, parent?: AnyNode): AnyNode | undefined => {
    if (node.type === 'Identifier' && later.has(String(node.name)) && reads(parent, node)) {
      return node;
    }
    if (isFunction(node)) return undefined;
    for (const child of children(node)) {
      const found = search(child, node);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration')
      later.delete(String((statement.id as AnyNode).name));
    const found = search(statement);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names that a function has of its own: parameters and whatever is declared anywhere in it. */
function ownNames(node: AnyNode): Set<string> {
  const names = new Set((node.params as AnyNode[]).map((param) => String(param.name)));
  const search = (inner: AnyNode): void => {
    if (inner.type === 'VariableDeclarator') names.add(String((inner.id as AnyNode).name));
    for (const child of children(inner)) search(child);
  };
  search(node);
  return names;
}

/**
 * The first mention of a variable above its `var`: in one function, and in those inside it that are
 * called where they stand.
 */
function earlyVar(body: AnyNode): AnyNode | undefined {
  const declared = new Map<string, number>();
  const mentions: AnyNode[] = [];
  const inside = (node: AnyNode): void => {
    const mine = ownNames(node);
    const search = (inner: AnyNode, parent?: AnyNode): void => {
      if (inner.type === 'Identifier' && reads(parent, inner) && !mine.has(String(inner.name))) {
        mentions.push(inner);
      }
      for (const child of children(inner)) {
        if (!isFunction(child)) search(child, inner);
        else if (inner.type === 'CallExpression' && inner.callee === child) search(child, inner);
      }
    };
    search(node);
  };
  const search = (node: AnyNode, parent?: AnyNode): void => {
    if (node.type === 'VariableDeclaration' && node.kind === 'var') {
      for (const { id } of node.declarations as { id: AnyNode }[]) {
        const name = String(id.name);
        declared.set(name, Math.min(declared.get(name) ?? id.start, id.start));
      }
    }
    if (node.type === 'Identifier' && reads(parent, node)) mentions.push(node);
    for (const child of children(node)) {
      if (!isFunction(child)) search(child, node);
      else if (node.type === 'CallExpression' && node.callee === child) inside(child);
    }
  };
  search(body);
  return mentions.find((node) => node.start < (declared.get(String(node.name)) ?? 0));
}

/**
 * Refuses a script that holds what Espruino lacks; each entry was tried on the real interpreter.
 *
 * Espruino does not hoist: a function must be declared above the statement that runs it, and a name
 * above its `var` is another function's variable.
 *
 * @param code a script
 * @throws SyntaxError that names the construct, its line and its column
 * @source espruino.com/Features; every construct run on Espruino itself
 */
export function refuse(code: string): void {
  const stop = (what: string, node: AnyNode): never => {
    const at = node.loc?.start;
    const where = `line ${at?.line}, column ${(at?.column ?? 0) + 1}`;
    const text = code.slice(node.start, node.start + 40);
    throw new SyntaxError(`Espruino has no ${what}: ${where}: ${text}`);
  };
  const visit = (node: AnyNode, parent?: AnyNode): void => {
    for (const [what, test] of refused) if (test(node)) stop(what, node);
    if (node.type === 'Identifier' && absent.has(String(node.name)) && reads(parent, node)) {
      stop(String(node.name), node);
    }
    if (node.type === 'MemberExpression') {
      const name = `${(node.object as AnyNode).name}.${keyOf(node)}`;
      if (absentMembers.has(name)) stop(name, node);
    }
    if (node.type === 'Program' || node.type === 'BlockStatement') {
      const found = early(node.body as AnyNode[]);
      if (found !== undefined) stop('hoisting of functions', found);
    }
    if (node.type === 'Program' || isFunction(node)) {
      const found = earlyVar((node.type === 'Program' ? node : node.body) as AnyNode);
      if (found !== undefined) stop('hoisting of variables', found);
    }
    for (const child of children(node)) visit(child, node);
  };
  visit(treeOf(code));
}
