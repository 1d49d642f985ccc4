import { type Binding, become, blocksOf, children, type Node, walk } from './syntax.ts';

const isTrue = (node: Node): boolean => node.type === 'BooleanLiteral' && node.raw === 'true';
const isFalse = (node: Node): boolean =>
  node.type === 'NilLiteral' || (node.type === 'BooleanLiteral' && node.raw === 'false');
const boolean = (value: boolean): Node => ({ type: 'BooleanLiteral', raw: String(value), value });

/** What is surely neither nil nor false. */
function isSolid(node: Node): boolean {
  if (node.type === 'BinaryExpression') return '+-*/%^..'.includes(node.operator!);
  if (node.type === 'LogicalExpression' && node.operator === 'or') {
    return isSolid(node.right!); // a conditional: its first value is none of the two, either
  }
  return isTrue(node) || /^(Numeric|String)Literal$|^TableC|^FunctionD/.test(node.type);
}

function isPure(node: Node): boolean {
  if (/Literal$|^Identifier$|^Name$/.test(node.type)) return true;
  if (node.type === 'FunctionDeclaration') return true;
  if (!/^(Member|Index|Binary|Logical|Unary|Table)/.test(node.type)) return false;
  if (/Call/.test(node.type)) return false;
  return children(node).every(isPure);
}

/** Simplifies what is known, leaves first. */
function fold(node: Node): void {
  children(node).forEach(fold);
  const { left, right, argument, operator } = node;
  if (node.type === 'LogicalExpression') {
    const known = isTrue(left!) || isFalse(left!);
    if (known) become(node, isTrue(left!) === (operator === 'and') ? right! : left!);
    else if (operator === 'or' && isSolid(left!) && left!.type !== 'LogicalExpression') {
      become(node, left!);
    }
  } else if (node.type === 'UnaryExpression' && operator === 'not') {
    if (isTrue(argument!) || isFalse(argument!)) become(node, boolean(isFalse(argument!)));
  } else if (node.type === 'BinaryExpression' && left!.type === 'NumericLiteral') {
    if (right!.type !== 'NumericLiteral') return;
    const [a, b] = [Number(left!.raw), Number(right!.raw)];
    const truths: Record<string, boolean> = { '<': a < b, '>': a > b, '==': a === b };
    if (operator! in truths) become(node, boolean(truths[operator!]));
  }
}

/** Takes away the branches that are never taken. */
function prune(body: Node[]): Node[] {
  return body.flatMap((statement) => {
    for (const inner of innerBlocks(statement)) inner.splice(0, inner.length, ...prune(inner));
    if (statement.type === 'WhileStatement' && isFalse(statement.condition!)) return [];
    if (statement.type === 'DoStatement' && statement.body!.length === 0) return [];
    if (statement.type !== 'IfStatement') return [statement];
    const left = statement.clauses!.filter(({ condition }) => !condition || !isFalse(condition));
    const sure = left.findIndex(({ condition }) => !condition || isTrue(condition));
    const clauses = sure < 0 ? left : left.slice(0, sure + 1);
    if (clauses.length === 0) return [];
    if (sure === 0) {
      return [{ type: 'DoStatement', body: clauses[0].body!, module: statement.module }];
    }
    if (sure > 0) {
      const { body: last } = clauses[sure];
      clauses[sure] = { type: 'ElseClause', body: last! };
    }
    clauses[0] = { ...clauses[0], type: 'IfClause' };
    return [{ ...statement, clauses }];
  });
}

/** Every block under a statement, those of functions in its expressions included. */
function innerBlocks(statement: Node): Node[][] {
  const found: Node[][] = [];
  const search = (node: Node): void => {
    const own = blocksOf(node);
    found.push(...own);
    for (const child of children(node)) {
      if (node.clauses) {
        if (child.condition) search(child.condition);
      } else if (!own[0]?.includes(child)) search(child);
    }
  };
  search(statement);
  return found;
}

/** Counts the mentions anew: folding and pruning took some away. */
function recount(chunk: Node): void {
  const declared = new Set<Node>();
  walk(chunk, (node) => {
    if (node.binding) {
      node.binding.refs = [];
      node.binding.writes = 0;
    }
    const names = node.type === 'FunctionDeclaration' ? [...node.parameters!] : [];
    if (node.isLocal && node.identifier) names.push(node.identifier);
    if (/^(Local|ForGeneric)Statement$/.test(node.type)) names.push(...node.variables!);
    if (node.variable) names.push(node.variable);
    for (const name of names) declared.add(name);
  });
  walk(chunk, (node) => {
    if (!node.binding || declared.has(node)) return;
    node.binding.refs.push(node);
    if (node.isWrite) node.binding.writes++;
  });
}

/** Puts constants where they are used, and leaves out what nothing uses. */
function sweep(body: Node[]): Node[] {
  return body.filter((statement) => {
    for (const inner of innerBlocks(statement)) inner.splice(0, inner.length, ...sweep(inner));
    const { variables = [], init = [] } = statement;
    const binding = statement.isLocal ? statement.identifier?.binding : variables[0]?.binding;
    if (statement.type === 'FunctionDeclaration' && statement.isLocal) {
      const inside = new Set<Node>();
      walk(statement, (node) => inside.add(node));
      return binding!.refs.some((ref) => !inside.has(ref));
    }
    if (statement.type === 'AssignmentStatement') {
      // A function that was declared in front, and that nothing but itself mentions.
      const isUnused = binding && variables.length === 1 && isOnlyWritten(binding, init[0]);
      return !(isUnused && isPure(init[0]));
    }
    if (statement.type !== 'LocalStatement') return true;
    if (init.length === 0) {
      statement.variables = variables.filter((name) => name.binding!.refs.length > 0);
      return statement.variables.length > 0;
    }
    if (variables.length > 1 || init.length > 1 || binding!.writes > 0) return true;
    if (/^(Numeric|Boolean)Literal$/.test(init[0].type)) {
      for (const ref of binding!.refs) become(ref, init[0]);
      return false;
    }
    return binding!.refs.length > 0 || !isPure(init[0]);
  });
}

function isOnlyWritten(binding: Binding, value: Node): boolean {
  const inside = new Set<Node>();
  walk(value, (node) => inside.add(node));
  return binding.refs.every((ref) => ref.isWrite || inside.has(ref));
}

/** Functions that are only ever called lose the `self` that typescript-to-lua gives everything. */
function dropSelf(chunk: Node): void {
  const calls = new Map<Node, Node>();
  walk(chunk, (node) => {
    if (node.type === 'CallExpression') calls.set(node.base!, node);
  });
  walk(chunk, (node) => {
    const binding = node.identifier?.binding;
    const self = node.parameters?.[0]?.binding;
    if (node.type !== 'FunctionDeclaration' || !node.isLocal || !binding || !self) return;
    if (!/^(self|____)$/.test(self.name) || self.refs.length > 0 || binding.writes > 0) return;
    const uses = binding.refs.map((ref) => calls.get(ref));
    if (!uses.every((call) => call && isFalse(call.arguments![0] ?? call))) return;
    node.parameters!.shift();
    for (const call of uses) call!.arguments!.shift();
  });
}

/**
 * Leaves out of a chunk what never runs: branches on constants, functions that nothing mentions.
 *
 * @param chunk linked and resolved; it is changed
 */
export function shake(chunk: Node): void {
  let before = -1;
  for (let size = 0; size !== before; ) {
    before = size;
    fold(chunk);
    chunk.body = prune(chunk.body!);
    recount(chunk);
    chunk.body = sweep(chunk.body!);
    recount(chunk);
    size = 0;
    walk(chunk, () => size++);
  }
  dropSelf(chunk);
  recount(chunk);
}
