import { type Node, parse } from 'acorn';
import type { Edit } from './owned.ts';

type AnyNode = Node & Record<string, unknown>;

/** Where names are known: a function, a block, a loop. */
interface Scope {
  outer: Scope | undefined;
  variables: Map<string, Variable>;
}

interface Variable {
  home: Scope;
  /** scopes in which it is mentioned, and those from there to its own */
  seen: Set<Scope>;
  /** where its name stands; true where that is a property's key as well */
  places: [at: number, isKey: boolean][];
}

const LETTERS = [...'etrnioalsufcdhpgmbvkwyxjqzETRNIOALSUFCDHPGMBVKWYXJQZ$_'];
const WORDS = new Set(['do', 'if', 'in', 'of', 'as', 'is', 'id', 'on', 'rx', 'tx']);

function children(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === 'string');
}

/** All variables of a script, and the names that it takes from the world outside. */
function analyse(program: AnyNode): { variables: Variable[]; free: Set<string> } {
  const variables: Variable[] = [];
  const free = new Set<string>();
  const mentions: [node: AnyNode, scope: Scope, isKey: boolean][] = [];
  const declare = (scope: Scope, id: AnyNode): void => {
    const variable = { home: scope, seen: new Set([scope]), places: [] };
    scope.variables.set(String(id.name), variable);
    variables.push(variable);
  };
  const open = (outer: Scope | undefined): Scope => ({ outer, variables: new Map() });
  const visit = (node: AnyNode, scope: Scope): void => {
    let here = scope;
    if (/Function|^Block|^For|^Catch/.test(node.type)) here = open(scope);
    if (/Function/.test(node.type)) for (const p of node.params as AnyNode[]) declare(here, p);
    if (node.type === 'CatchClause' && node.param) declare(here, node.param as AnyNode);
    if (node.type === 'VariableDeclaration') {
      for (const { id } of node.declarations as { id: AnyNode }[]) declare(here, id);
    }
    if (node.type === 'Identifier') mentions.push([node, here, false]);
    if (node.type === 'MemberExpression' && node.computed !== true) {
      visit(node.object as AnyNode, here);
    } else if (node.type === 'Property') {
      if (node.shorthand === true) mentions.push([node.value as AnyNode, here, true]);
      else visit(node.value as AnyNode, here);
    } else for (const child of children(node)) visit(child, here);
  };
  visit(program, open(undefined));
  for (const [node, scope, isKey] of mentions) {
    const name = String(node.name);
    let home: Scope | undefined = scope;
    while (home !== undefined && !home.variables.has(name)) home = home.outer;
    const variable = home?.variables.get(name);
    if (variable === undefined) free.add(name);
    else {
      variable.places.push([node.start, isKey]);
      for (let s: Scope | undefined = scope; s !== home; s = s?.outer)
        variable.seen.add(s as Scope);
    }
  }
  return { variables, free };
}

/**
 * Gives variables new names: the more often one is mentioned, the shorter. Minifiers name them in the
 * order in which they are declared.
 *
 * @param code a script of arrow functions, `let` and no destructuring
 * @returns edits, in order, none within another
 * @example shortVariables('let long=1;f(long,long)').map((edit) => edit[2]).join() // 'e,e,e'
 */
export function shortVariables(code: string): Edit[] {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'script' }) as Node as AnyNode;
  const { variables, free } = analyse(program);
  const usable = (name: string): boolean => !free.has(name) && !WORDS.has(name);
  const names = [...LETTERS, ...LETTERS.flatMap((a) => LETTERS.map((b) => a + b))].filter(usable);
  const edits: Edit[] = [];
  variables.sort((a, b) => b.places.length - a.places.length);
  const named = new Map<string, Variable[]>();
  for (const variable of variables) {
    const clashes = (other: Variable): boolean =>
      variable.seen.has(other.home) || other.seen.has(variable.home);
    const name = names.find((candidate) => !(named.get(candidate) ?? []).some(clashes))!;
    named.set(name, [...(named.get(name) ?? []), variable]);
    for (const [at, isKey] of variable.places) {
      const old = /^[\w$]+/.exec(code.slice(at))![0];
      edits.push([at, at + old.length, isKey ? `${old}:${name}` : name]);
    }
  }
  return edits.sort((a, b) => a[0] - b[0]);
}
