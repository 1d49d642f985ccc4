import type { TSchema } from 'typebox';
import * as views from '../views/views.ts';

type Node = { [key: string]: unknown };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a schema says, whatever it is described as. */
const saidBy = ({ description: _, ...schema }: Node): string => JSON.stringify(schema);

const named = new Map(
  Object.entries(views as Record<string, unknown>)
    .filter((entry): entry is [string, TSchema & Node] => isNode(entry[1]))
    .map(([name, schema]) => [saidBy(schema), name]),
);

/**
 * Gives every view its name: a schema that is one becomes a reference to `components.schemas`, so that a
 * program made from the document has a type for a device, and not one for each place where one stands.
 *
 * @param document OpenAPI, with all schemas written out
 * @returns the same, shorter
 */
export function shareViews<T extends { components?: object }>(document: T): T {
  const schemas: Node = {};
  const short = replaced(document, schemas) as T;
  return { ...short, components: { ...short.components, schemas } };
}

function replaced(value: unknown, schemas: Node): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, schemas));
  if (!isNode(value)) return value;
  const name = named.get(saidBy(value));
  if (name === undefined) return inside(value, schemas);
  if (!(name in schemas)) {
    schemas[name] = {}; // its place: the order is that of the routes
    schemas[name] = inside(value, schemas);
  }
  const { description } = value;
  const ref = { $ref: `#/components/schemas/${name}` };
  return description === undefined ? ref : { ...ref, description };
}

function inside(node: Node, schemas: Node): Node {
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, replaced(value, schemas)]),
  );
}
