import { modules } from './compact.ts';
import { type AnyNode, children, treeOf } from './tree.ts';

/** What a bundle is built with, by the name that the core knows it by. */
export type Constants = Record<string, number | string | readonly number[]>;

/** By these names the core knows its configuration, as a variable or as a member. */
const HOLDERS = ['host', 'c', 'options'];

/**
 * Puts constants in the place of members of the core's configuration: a bundle is for one board and
 * one task, and what is a number there needs neither an object that holds it nor a name.
 *
 * @param code a script, with esbuild's names of modules: only the core's are looked at
 * @param constants by member
 * @returns an equivalent script, where nothing else in the core is called as the configuration is
 * @example inlined('// core/a.ts\nf(s.c.page, s.page)', { page: 4096 }) // '// core/a.ts\nf(4096, s.page)'
 */
export function inlined(code: string, constants: Constants): string {
  const found: [start: number, end: number, text: string][] = [];
  const moduleOf = modules(code);
  const visit = (node: AnyNode): void => {
    if (node.type === 'MemberExpression' && node.computed !== true) {
      const object = node.object as AnyNode;
      const holder = (object.type === 'MemberExpression' ? object.property : object) as AnyNode;
      const name = String((node.property as AnyNode).name);
      const isOurs =
        HOLDERS.includes(String(holder.name)) && /(^|\/)core\//.test(moduleOf(node.start));
      if (isOurs && Object.hasOwn(constants, name))
        found.push([node.start, node.end, JSON.stringify(constants[name])]);
    }
    for (const child of children(node)) visit(child);
  };
  visit(treeOf(code, 'module'));
  let out = code;
  found.sort((a, b) => b[0] - a[0]);
  for (const [start, end, text] of found) out = out.slice(0, start) + text + out.slice(end);
  return out;
}
