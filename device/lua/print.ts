import type { Node } from './syntax.ts';

/** How tightly operators bind, 5.1's manual, section 2.5.6. */
const POWERS: Record<string, number> = {
  or: 1,
  and: 2,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '~=': 3,
  '==': 3,
  '..': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
  '^': 8,
};
const UNARY = 7;

/** Joins two tokens, with a space only where they would become one. */
function join(a: string, b: string): string {
  const glue =
    (/[\w]$/.test(a) && /^\w/.test(b)) ||
    (a.endsWith('-') && b.startsWith('-')) ||
    (/\d$/.test(a) && b.startsWith('.')) ||
    (a.endsWith('.') && b.startsWith('.') && !/\.\.$/.test(a)) ||
    (a.endsWith('[') && b.startsWith('['));
  return glue ? `${a} ${b}` : a + b;
}

const all = (...tokens: string[]): string =>
  tokens.filter((token) => token !== '').reduce(join, '');

function list(nodes: Node[]): string {
  return nodes.map((node) => expression(node)).join(',');
}

/** A call's or an index's base: names and calls stand as they are, everything else in brackets. */
function base(node: Node): string {
  const plain = /^(Identifier|MemberExpression|IndexExpression|.*CallExpression)$/.test(node.type);
  return plain ? expression(node) : `(${expression(node)})`;
}

function field(node: Node): string {
  const value = expression(node.value as Node);
  if (node.type === 'TableKeyString') return all(node.key!.name!, '=', value);
  if (node.type === 'TableKey') return all('[', expression(node.key!), ']', '=', value);
  return value;
}

function functionOf(node: Node, name: string): string {
  const parameters = node.parameters!.map((p) =>
    p.type === 'VarargLiteral' ? '...' : (p.binding?.name ?? p.name),
  );
  return all('function', name, `(${parameters.join(',')})`, block(node.body!), 'end');
}

function expression(node: Node, power = 0): string {
  const { type } = node;
  if (type === 'Identifier') return node.binding?.name ?? node.name!;
  // A firmware without fractions could not even read one, and would not come to say what it lacks.
  if (type === 'NumericLiteral' && node.raw === '0.5') return power > POWERS['/'] ? '(1/2)' : '1/2';
  if (/Literal$/.test(type)) return node.raw!;
  if (type === 'FunctionDeclaration') return functionOf(node, '');
  if (type === 'TableConstructorExpression') return `{${node.fields!.map(field).join(',')}}`;
  if (type === 'MemberExpression') {
    return all(base(node.base!), node.indexer!, node.identifier!.name!);
  }
  if (type === 'IndexExpression') return all(base(node.base!), '[', expression(node.index!), ']');
  if (type === 'CallExpression') {
    const [only] = node.arguments!;
    const bare = node.arguments!.length === 1 && /^(StringL|TableC)/.test(only.type);
    return base(node.base!) + (bare ? expression(only) : `(${list(node.arguments!)})`);
  }
  if (type === 'StringCallExpression') return base(node.base!) + expression(node.argument!);
  if (type === 'TableCallExpression') {
    return base(node.base!) + expression((node.arguments as unknown as Node) ?? node.argument!);
  }
  if (type === 'UnaryExpression') {
    const text = all(node.operator!, expression(node.argument!, UNARY));
    return power > UNARY ? `(${text})` : text;
  }
  const own = POWERS[node.operator!];
  const toRight = node.operator === '..' || node.operator === '^';
  const text = all(
    expression(node.left!, toRight ? own + 1 : own),
    node.operator!,
    expression(node.right!, toRight ? own : own + 1),
  );
  return own < power ? `(${text})` : text;
}

function statement(node: Node): string {
  switch (node.type) {
    case 'LocalStatement':
      return node.init!.length > 0
        ? all('local', list(node.variables!), '=', list(node.init!))
        : all('local', list(node.variables!));
    case 'AssignmentStatement':
      return all(list(node.variables!), '=', list(node.init!));
    case 'CallStatement':
      return expression(node.expression!);
    case 'FunctionDeclaration':
      return all(node.isLocal ? 'local' : '', functionOf(node, expression(node.identifier!)));
    case 'ReturnStatement':
      return all('return', list(node.arguments!));
    case 'BreakStatement':
      return 'break';
    case 'DoStatement':
      return all('do', block(node.body!), 'end');
    case 'WhileStatement':
      return all('while', expression(node.condition!), 'do', block(node.body!), 'end');
    case 'RepeatStatement':
      return all('repeat', block(node.body!), 'until', expression(node.condition!));
    case 'ForNumericStatement': {
      const range = [node.start, node.end, node.step].filter((part) => part) as Node[];
      const head = all('for', expression(node.variable!), '=', list(range));
      return all(head, 'do', block(node.body!), 'end');
    }
    case 'ForGenericStatement': {
      const head = all('for', list(node.variables!), 'in', list(node.iterators!));
      return all(head, 'do', block(node.body!), 'end');
    }
    case 'IfStatement': {
      const words: Record<string, string> = { IfClause: 'if', ElseifClause: 'elseif' };
      const clauses = node.clauses!.map((clause) =>
        clause.condition
          ? all(words[clause.type], expression(clause.condition), 'then', block(clause.body!))
          : all('else', block(clause.body!)),
      );
      return all(...clauses, 'end');
    }
    default:
      throw new SyntaxError(`no Lua is printed for ${node.type}`);
  }
}

function block(body: Node[]): string {
  // A statement that begins with a bracket would be taken for a call of the one before it.
  return body.map(statement).reduce((a, b) => (b.startsWith('(') ? `${a};${b}` : all(a, b)), '');
}

/** A chunk in as few characters as Lua needs, and where they come from. */
export interface Printed {
  /** one line for each statement at the top */
  code: string;
  /** characters by module */
  sizes: Map<string, number>;
}

/** Writes a chunk. */
export function printLua(chunk: Node): Printed {
  const sizes = new Map<string, number>();
  let code = '';
  for (const node of chunk.body!) {
    const line = `${statement(node)}\n`;
    code += line;
    const module = node.module ?? 'joints';
    sizes.set(module, (sizes.get(module) ?? 0) + line.length);
  }
  return { code, sizes };
}
