import { type Binding, blocksOf, children, type Node, walk } from './syntax.ts';

const KEYWORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_';

function nameAt(index: number): string {
  let name = LETTERS[index % LETTERS.length];
  for (let rest = Math.floor(index / LETTERS.length); rest > 0; ) {
    rest--;
    name += LETTERS[rest % LETTERS.length];
    rest = Math.floor(rest / LETTERS.length);
  }
  return name;
}

/** What is declared in one block, or by the head of the statement that opens it. */
interface Area {
  own: Binding[];
  inner: Area[];
  /** mentioned in it or below */
  used: Set<Binding>;
}

function areaOf(heads: Node[], body: Node[], last: Node[]): Area {
  const area: Area = { own: heads.map(({ binding }) => binding!), inner: [], used: new Set() };
  const visit = (node: Node): void => {
    if (node.binding) area.used.add(node.binding);
    if (node.type === 'LocalStatement') {
      area.own.push(...node.variables!.map(({ binding }) => binding!));
    }
    if (node.isLocal) area.own.push(node.identifier!.binding!);
    const blocks = blocksOf(node);
    const names = node.type === 'FunctionDeclaration' ? node.parameters! : [];
    const loops = node.variable ? [node.variable] : [];
    if (node.type === 'ForGenericStatement') loops.push(...node.variables!);
    const tail = node.type === 'RepeatStatement' ? [node.condition!] : [];
    for (const block of blocks) {
      area.inner.push(
        areaOf(
          [...names, ...loops].filter(({ binding }) => binding),
          block,
          tail,
        ),
      );
    }
    for (const child of children(node)) {
      if (child.type.endsWith('Clause')) {
        if (child.condition) visit(child.condition);
      } else if (!blocks.some((block) => block.includes(child)) && !tail.includes(child)) {
        visit(child);
      }
    }
  };
  body.forEach(visit);
  last.forEach(visit);
  for (const { used } of area.inner) for (const binding of used) area.used.add(binding);
  return area;
}

/**
 * Gives locals the shortest names, the most used first; what is not seen from a place may share.
 *
 * @param chunk counted, as `shake` leaves it; its bindings are renamed
 */
export function shorten(chunk: Node): void {
  const globals = new Set<string>();
  walk(chunk, (node) => {
    if (node.type === 'Identifier' && !node.binding) globals.add(node.name!);
  });
  const name = (area: Area, outer: Set<Binding>): void => {
    const taken = new Set([...area.used].filter((b) => outer.has(b)).map((b) => b.name));
    const own = [...new Set(area.own)].sort((a, b) => b.refs.length - a.refs.length);
    let next = 0;
    for (const binding of own) {
      let short = nameAt(next++);
      while (taken.has(short) || globals.has(short) || KEYWORDS.has(short)) short = nameAt(next++);
      binding.name = short;
    }
    const seen = new Set([...outer, ...own]);
    for (const inner of area.inner) name(inner, seen);
  };
  name(areaOf([], chunk.body!, []), new Set());
}
