import { parse } from 'luaparse';

/** A local variable, parameter or module's export: every mention of it points here. */
export interface Binding {
  name: string;
  /** mentions, the declaration left out */
  refs: Node[];
  /** assignments after the declaration */
  writes: number;
}

/** A node of luaparse's tree, as loosely typed as it is changed here. */
export interface Node {
  type: string;
  body?: Node[];
  variables?: Node[];
  init?: Node[];
  parameters?: Node[];
  clauses?: Node[];
  fields?: Node[];
  iterators?: Node[];
  arguments?: Node[];
  isLocal?: boolean;
  identifier?: Node;
  expression?: Node;
  condition?: Node;
  variable?: Node;
  start?: Node;
  end?: Node;
  step?: Node;
  key?: Node;
  value?: Node | string | number | boolean | null;
  left?: Node;
  right?: Node;
  argument?: Node;
  base?: Node;
  index?: Node;
  operator?: string;
  indexer?: string;
  name?: string;
  raw?: string;
  binding?: Binding;
  /** on a mention: what makes it an assignment */
  isWrite?: boolean;
  /** on a statement at the top of a linked chunk: the module that it comes from */
  module?: string;
}

/** Parses one module's Lua 5.1; names of fields are of type Name, no Identifier. */
export function parseLua(code: string): Node {
  const chunk = parse(code, { comments: false, luaVersion: '5.1' }) as unknown as Node;
  walk(chunk, (node) => {
    if (node.type === 'MemberExpression') node.identifier!.type = 'Name';
    if (node.type === 'TableKeyString') node.key!.type = 'Name';
  });
  return chunk;
}

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';

/** The nodes directly under one, in the order of the text. */
export function children(node: Node): Node[] {
  const all: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'binding') continue;
    if (Array.isArray(value)) all.push(...value.filter(isNode));
    else if (isNode(value)) all.push(value);
  }
  return all;
}

/** Visits a tree, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of children(node)) walk(child, visit);
}

/** Turns a node into another where it stands. */
export function become(node: Node, other: Node): void {
  const copy = { ...other };
  for (const key of Object.keys(node)) delete (node as unknown as Record<string, unknown>)[key];
  Object.assign(node, copy);
}

export const identifier = (binding: Binding): Node => ({
  type: 'Identifier',
  name: binding.name,
  binding,
});

/** Whether a node's blocks open scopes of their own for what is declared in them. */
export const blocksOf = (node: Node): Node[][] =>
  node.clauses ? node.clauses.map((clause) => clause.body!) : node.body ? [node.body] : [];

type Scope = Map<string, Binding>;

/**
 * Finds out what each name means: gives every mention of a local its binding; globals get none.
 *
 * @param chunk one module; its tree is marked
 */
export function resolve(chunk: Node): void {
  const scopes: Scope[] = [];
  const declare = (node: Node): void => {
    node.binding = { name: node.name!, refs: [], writes: 0 };
    scopes[scopes.length - 1].set(node.name!, node.binding);
  };
  const mention = (node: Node, isWrite: boolean): void => {
    const scope = scopes.findLast((candidate) => candidate.has(node.name!));
    if (scope === undefined) return;
    node.binding = scope.get(node.name!)!;
    node.binding.refs.push(node);
    node.isWrite = isWrite;
    if (isWrite) node.binding.writes++;
  };
  const block = (body: Node[], names: Node[] = [], last?: Node): void => {
    scopes.push(new Map());
    names.forEach(declare);
    body.forEach(visit);
    if (last) visit(last);
    scopes.pop();
  };
  const visit = (node: Node): void => {
    if (node.type === 'Identifier') mention(node, false);
    else if (node.type === 'MemberExpression') visit(node.base!);
    else if (node.type === 'TableKeyString') visit(node.value as Node);
    else if (node.type === 'LocalStatement') {
      node.init!.forEach(visit);
      node.variables!.forEach(declare);
    } else if (node.type === 'AssignmentStatement') {
      node.init!.forEach(visit);
      for (const target of node.variables!) {
        if (target.type === 'Identifier') mention(target, true);
        else visit(target);
      }
    } else if (node.type === 'FunctionDeclaration') {
      if (node.identifier && node.isLocal) declare(node.identifier);
      else if (node.identifier) {
        if (node.identifier.type === 'Identifier') mention(node.identifier, true);
        else visit(node.identifier);
      }
      block(
        node.body!,
        node.parameters!.filter(({ type }) => type === 'Identifier'),
      );
    } else if (node.type === 'ForNumericStatement') {
      for (const part of [node.start, node.end, node.step]) if (part) visit(part);
      block(node.body!, [node.variable!]);
    } else if (node.type === 'ForGenericStatement') {
      node.iterators!.forEach(visit);
      block(node.body!, node.variables!);
    } else if (node.type === 'RepeatStatement') block(node.body!, [], node.condition);
    else if (node.clauses) {
      for (const clause of node.clauses) {
        if (clause.condition) visit(clause.condition);
        block(clause.body!);
      }
    } else if (node.body) {
      if (node.condition) visit(node.condition);
      block(node.body);
    } else children(node).forEach(visit);
  };
  visit(chunk);
}
