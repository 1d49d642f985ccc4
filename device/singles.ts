import { modules } from './compact.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

type Edit = [start: number, end: number, text: string];

/** A module, and how it calls an object of which a bundle has one. */
type Name = [module: RegExp, name: string];

/** Those objects. */
const SINGLES: Record<string, Name[]> = {
  update: [
    [/core\/update\.ts$/, 's'],
    [/core\/device\.ts$/, 'update'],
  ],
  link: [
    [/core\/link\.ts$/, 's'],
    [/core\/device\.ts$/, 'link'],
  ],
  segments: [
    [/core\/window\.ts$/, 'state'],
    [/core\/device\.ts$/, 'segments'],
  ],
  decoder: [[/core\/(frame|device)\.ts$/, 'decoder']],
  cursor: [[/core\/(cbor|messages)\.ts$/, 'cursor']],
  aes: [
    [/(core\/secure|espruino\/main)\.ts$/, 'aes'],
    [/espruino\/crypto\.ts$/, 'aes'],
  ],
  cipher: [[/(core\/secure|espruino\/main)\.ts$/, 'cipher']],
  secure: [
    [/core\/secure\.ts$/, 'suite'],
    [/core\/device\.ts$/, 'secure'],
  ],
  host: [
    [/(core\/device|espruino\/main)\.ts$/, 'host'],
    [/core\/(slot|update)\.ts$/, 'c'],
    [/core\/model\.ts$/, 'tier'],
  ],
};

/** Objects that are members of others: an update's state knows the host, and the host its cipher. */
const WITHIN: Record<string, string> = { 'update.c': 'host', 'host.cipher': 'cipher' };

/**
 * Makes variables of the members of objects of which a bundle has one each: the core's machines are
 * functions of a state, and a member's name behind its object's is longer than a variable's.
 *
 * @param code a script, with esbuild's names of modules
 * @returns an equivalent script, if each of the objects is made once at a time
 * @throws SyntaxError where one is used otherwise than by its members and as an argument
 */
export function singles(code: string): string {
  const moduleOf = modules(code);
  const edits: Edit[] = [];
  const variables = new Set<string>();

  /** The object that a node stands for. */
  const singleOf = (node: AnyNode | null | undefined): string | undefined => {
    if (node?.type === 'MemberExpression') {
      const of = node.computed === true ? undefined : singleOf(node.object as AnyNode);
      return WITHIN[`${of}.${(node.property as AnyNode).name}`];
    }
    if (node?.type !== 'Identifier') return undefined;
    const module = moduleOf(node.start);
    const isThis = ([where, name]: Name): boolean => where.test(module) && name === node.name;
    return Object.keys(SINGLES).find((single) => SINGLES[single]!.some(isThis));
  };
  const variable = (single: string, name: unknown): string => {
    variables.add(`${single}_${name}`);
    return `${single}_${name}`;
  };
  /** Takes the objects out of a list of parameters or arguments. */
  const dropFrom = (list: AnyNode[]): AnyNode[] => {
    const at = list.findIndex((item) => singleOf(item) !== undefined);
    if (at < 0) return list;
    const item = list[at]!;
    if (at === 0) edits.push([item.start, list[1]?.start ?? item.end, '']);
    else edits.push([list[at - 1]!.end, item.end, '']);
    return list.filter((other) => other !== item);
  };
  /** Members become variables, each with its first value. */
  const assign = (single: string, statement: AnyNode, object: AnyNode): void => {
    let at = statement.start;
    for (const property of object.properties as AnyNode[]) {
      const value = property.value as AnyNode;
      const name = `${single}_${(property.key as AnyNode).name}`;
      const isMoved = singleOf(value) !== undefined || (isPlain(value) && !read.has(name));
      if (isMoved) continue;
      edits.push([at, value.start, `${variable(single, (property.key as AnyNode).name)} = `]);
      visit(value);
      edits.push([value.end, value.end, ';\n']);
      at = value.end;
    }
    edits.push([at, statement.end, '']);
  };
  /** The single whose state an object is: its module reads every member of it by the state's name. */
  const madeBy = (object: AnyNode): string | undefined => {
    const keys = (object.properties as AnyNode[]).map(({ key }) => (key as AnyNode).name);
    const module = moduleOf(object.start);
    return Object.keys(SINGLES).find((single) => {
      if (!SINGLES[single]!.some(([where]) => where.test(module))) return false;
      const names = SINGLES[single]!.map(([, name]) => name).join('|');
      return keys.every((key) => new RegExp(`\\b(${names})\\.${key}\\b`).test(code));
    });
  };
  /** Whether nothing happens when a value is reckoned. */
  const isPlain = (value: AnyNode): boolean => /^(Identifier|Literal|Member)/.test(value.type);
  /** Variables that are read, of the members that anything reads. */
  const read = new Set<string>();
  const look = (node: AnyNode, parent: AnyNode): void => {
    const of = node.type === 'MemberExpression' ? singleOf(node.object as AnyNode) : undefined;
    const isWritten = parent.type === 'AssignmentExpression' && parent.left === node;
    if (of !== undefined && node.computed !== true && !isWritten) {
      read.add(`${of}_${(node.property as AnyNode).name}`);
    }
    for (const child of children(node)) look(child, node);
  };
  const visit = (node: AnyNode): void => {
    if (node.type === 'MemberExpression' && node.computed !== true) {
      const of = singleOf(node.object as AnyNode);
      if (of === undefined) visit(node.object as AnyNode);
      else edits.push([node.start, node.end, variable(of, (node.property as AnyNode).name)]);
    } else if (/Function/.test(node.type)) {
      for (const param of dropFrom(node.params as AnyNode[])) visit(param);
      visit(node.body as AnyNode);
    } else if (node.type === 'CallExpression') {
      visit(node.callee as AnyNode);
      for (const value of dropFrom(node.arguments as AnyNode[])) visit(value);
    } else if (node.type === 'VariableDeclaration') {
      const [{ id, init }] = node.declarations as [{ id: AnyNode; init: AnyNode | null }];
      const of = singleOf(id);
      if (of === undefined || init === null) for (const child of children(node)) visit(child);
      else if (init.type === 'ObjectExpression') assign(of, node, init);
      else if (singleOf(init) === of) edits.push([node.start, node.end, '']);
      else {
        if (!/^(Call|Conditional)/.test(init.type) || JSON.stringify(init).includes('ObjectExpr')) {
          throw new SyntaxError(`${id.name} is made in a way that is not known here`);
        }
        edits.push([node.start, init.start, '']);
        visit(init);
      }
    } else if (node.type === 'ReturnStatement') {
      const value = node.argument as AnyNode | null;
      const of = value?.type === 'ObjectExpression' ? madeBy(value) : undefined;
      if (of !== undefined) assign(of, node, value as AnyNode);
      else if (singleOf(value) !== undefined) edits.push([node.start, node.end, '']);
      else if (value !== null) visit(value);
    } else if (node.type === 'Property') visit(node.value as AnyNode);
    else if (singleOf(node) !== undefined && node.type === 'Identifier') {
      const line = code.slice(node.start - 40, node.end + 40).replace(/\s+/g, ' ');
      throw new SyntaxError(`${node.name} is used as a whole in ${moduleOf(node.start)}: ${line}`);
    } else for (const child of children(node)) visit(child);
  };
  const program = treeOf(code, 'module');
  look(program, program);
  visit(program);
  let out = code;
  edits.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  for (const [start, end, text] of edits) out = out.slice(0, start) + text + out.slice(end);
  return `let ${[...variables].join(', ')};\n${out}`;
}

/**
 * Puts numbers in the place of those variables that `singles` has made and that are never set again
 * after their first value.
 *
 * @param code a script whose variables still have their names
 * @returns edits, in order, none within another
 * @example settled('let link_span;link_span=8;f(link_span)').map((edit) => edit[2]).join() // '8,8'
 */
export function settled(code: string): Edit[] {
  const prefix = Object.keys(SINGLES).join('|');
  const places = new Map<string, number[]>();
  for (const { 0: name, index } of code.matchAll(new RegExp(`\\b(?:${prefix})_\\w+`, 'g'))) {
    places.set(name, [...(places.get(name) ?? []), index]);
  }
  const edits: Edit[] = [];
  for (const [name, all] of places) {
    const [, ...mentions] = all; // the first one declares it
    const set = mentions.filter(
      (at) =>
        /^(?:=(?!=)|[-+*/]=|\+\+|--)/.test(code.slice(at + name.length)) ||
        /(?:\+\+|--)$/.test(code.slice(0, at)),
    );
    const value = /^=(\d+|void 0)(?=[,;)])/.exec(code.slice((set[0] ?? 0) + name.length))?.[1];
    if (set.length !== 1 || value === undefined) continue;
    for (const at of mentions) {
      const end = at + name.length;
      edits.push(at === set[0] ? [at, end + 1 + value.length, value] : [at, end, value]);
    }
  }
  return edits.sort((a, b) => a[0] - b[0]);
}
