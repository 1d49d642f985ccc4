import type { Edit } from './owned.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

/** Where names are known: a function with its parameters and its body, a block, a loop. */
interface Scope {
  outer: Scope | undefined;
  /** the scope of the function that it lies in: what `var` declares is known there */
  whole: Scope;
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

const OPENS = /Function|^(Block|For|Catch|Switch|Class)/;

function open(outer: Scope | undefined, isWhole: boolean): Scope {
  const scope = { outer, variables: new Map() } as unknown as Scope;
  scope.whole = isWhole || outer === undefined ? scope : outer.whole;
  return scope;
}

/** All variables of a script, and the names that it takes from the world outside. */
function analyse(program: AnyNode): { variables: Variable[]; free: Set<string> } {
  const variables: Variable[] = [];
  const free = new Set<string>();
  const mentions: [node: AnyNode, scope: Scope, isKey: boolean][] = [];
  const declare = (scope: Scope, id: AnyNode): void => {
    if (scope.variables.has(String(id.name))) return; // `var` may say it again
    const variable = { home: scope, seen: new Set([scope]), places: [] };
    scope.variables.set(String(id.name), variable);
    variables.push(variable);
  };
  /** Declares in the whole function, past the blocks between. */
  const hoist = (scope: Scope, id: AnyNode): void => {
    for (let s = scope; s !== scope.whole; s = s.outer!) {
      if (s.variables.has(String(id.name))) {
        throw new SyntaxError(`${id.name} is declared in a block that knows another ${id.name}`);
      }
    }
    declare(scope.whole, id);
  };
  const visit = (node: AnyNode, scope: Scope, parent: AnyNode): void => {
    const { type } = node;
    const id = /Function|^Class/.test(type) ? (node.id as AnyNode | null | undefined) : undefined;
    if (id && type === 'FunctionDeclaration') hoist(scope, id);
    if (id && type === 'ClassDeclaration') declare(scope, id);
    let here = scope;
    if (id && type.endsWith('Expression')) {
      here = open(here, false);
      declare(here, id);
    }
    // a body's `let` may not have the name of a parameter, or of what is caught: one scope for both
    const isBody = type === 'BlockStatement' && /Function|^Catch/.test(parent.type);
    if (OPENS.test(type) && !isBody) here = open(here, /Function/.test(type));
    if (/Function/.test(type)) for (const p of node.params as AnyNode[]) declare(here, p);
    if (type === 'CatchClause' && node.param) declare(here, node.param as AnyNode);
    if (type === 'VariableDeclaration') {
      const add = node.kind === 'var' ? hoist : declare;
      for (const { id } of node.declarations as { id: AnyNode }[]) add(here, id);
    }
    if (type === 'Identifier') mentions.push([node, here, false]);
    if (type === 'Property' && node.shorthand === true) {
      mentions.push([node.value as AnyNode, here, true]);
      return;
    }
    for (const child of children(node)) {
      const isKey = node.computed !== true && (child === node.property || child === node.key);
      // a declaration's name, and what decides among cases, are outside of what they open
      const isOutside =
        (child === id && type.endsWith('Declaration')) || child === node.discriminant;
      if (!isKey) visit(child, isOutside ? scope : here, node);
    }
  };
  visit(program, open(undefined, true), program);
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
 * @param code a script without destructuring, default parameters, labels and `eval`
 * @returns edits, in order, none within another
 * @throws SyntaxError where a `var`, or a function in a block, has the name of what a block around it declares
 * @example shortVariables('let long=1;f(long,long)').map((edit) => edit[2]).join() // 'e,e,e'
 */
export function shortVariables(code: string): Edit[] {
  const program = treeOf(code);
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
