import { type Node, parse } from 'acorn';

/** A node of a script's syntax tree (ESTree), whatever its members. */
export type AnyNode = Node & Record<string, unknown>;

/** The tree of a script, or of a module; its nodes know their lines. */
export function treeOf(code: string, sourceType: 'script' | 'module' = 'script'): AnyNode {
  return parse(code, { ecmaVersion: 'latest', sourceType, locations: true }) as Node as AnyNode;
}

/** The nodes right below a node, in the order of its members. */
export function children(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === 'string');
}
