import { type Binding, become, identifier, type Node, parseLua, resolve, walk } from './syntax.ts';
import type { LuaModule } from './transpile.ts';

const text = (node: Node | undefined): string => (node?.raw ?? '').slice(1, -1);

/** The module that `local name = require("module")` names. */
function required(statement: Node): string | undefined {
  const call = statement.init?.[0];
  const isRequire = statement.type === 'LocalStatement' && call?.base?.name === 'require';
  if (!isRequire) return undefined;
  return text(call.type === 'StringCallExpression' ? call.argument : call.arguments?.[0]);
}

/**
 * Joins modules into one chunk: what one exports and another imports is one local of the chunk, so
 * that no table of exports is made, and names can be shortened and left out.
 *
 * @param before Lua put in front, whose locals the modules may use: the prelude
 * @param modules as `transpile` gives them: what is needed comes first
 * @returns one chunk, resolved
 */
export function link(before: string, modules: LuaModule[]): Node {
  const exported = new Map<string, Binding>();
  const exportOf = (module: string, name: string): Binding => {
    const key = `${module}:${name}`;
    let binding = exported.get(key);
    if (binding === undefined) {
      binding = { name, refs: [], writes: 0 };
      exported.set(key, binding);
    }
    return binding;
  };
  const prelude = parseLua(before);
  resolve(prelude);
  const shared = new Map<string, Binding>();
  for (const { type, isLocal, identifier: name, variables = [] } of prelude.body!) {
    const names = type === 'LocalStatement' ? variables : isLocal ? [name!] : [];
    for (const node of names) shared.set(node.name!, node.binding!);
  }
  const body = [...prelude.body!];
  for (const statement of body) statement.module = 'device/nodemcu/prelude.lua';
  for (const { name: module, path, code } of modules) {
    const chunk = parseLua(code);
    resolve(chunk);
    const tables = new Map<Binding, string>();
    const aliases = new Map<Binding, Binding>();
    const rest = chunk.body!.filter((statement) => {
      const [variable] = statement.variables ?? [];
      const [value] = statement.init ?? [];
      const from = required(statement);
      if (from !== undefined) tables.set(variable.binding!, from);
      else if (variable?.name === '____exports') tables.set(variable.binding!, module);
      else if (
        statement.type === 'LocalStatement' &&
        value?.type === 'MemberExpression' &&
        value.base?.binding &&
        tables.has(value.base.binding)
      ) {
        const source = tables.get(value.base.binding)!;
        aliases.set(variable.binding!, exportOf(source, value.identifier!.name!));
      } else return statement.type !== 'ReturnStatement';
      return false;
    });
    const top = { type: 'Chunk', body: rest };
    const mention = (node: Node, binding: Binding): void => {
      const isWrite = node.isWrite === true;
      become(node, identifier(binding));
      node.isWrite = isWrite;
      binding.refs.push(node);
    };
    for (const statement of rest) exportsToLocals(statement, tables, exportOf);
    walk(top, (node) => {
      if (node.type === 'MemberExpression' && node.base?.binding) {
        const source = tables.get(node.base.binding);
        if (source !== undefined) mention(node, exportOf(source, node.identifier!.name!));
      } else if (node.type === 'MemberExpression' && node.base?.name === 'math') {
        const binding = shared.get(`__math_${node.identifier!.name}`);
        if (binding !== undefined) mention(node, binding);
      } else if (node.type === 'Identifier') {
        const binding = node.binding ? aliases.get(node.binding) : shared.get(node.name!);
        if (binding !== undefined) mention(node, binding);
      }
    });
    for (const statement of rest) statement.module = path;
    body.push(...rest);
  }
  return { type: 'Chunk', body: forward(body, new Set(exported.values())) };
}

/** `function ____exports.f` and `____exports.x = …` at the top of a module declare locals. */
function exportsToLocals(
  statement: Node,
  tables: Map<Binding, string>,
  exportOf: (module: string, name: string) => Binding,
): void {
  const target =
    statement.type === 'FunctionDeclaration' ? statement.identifier : statement.variables?.[0];
  if (target?.type !== 'MemberExpression' || !target.base?.binding) return;
  const module = tables.get(target.base.binding);
  if (module === undefined) return;
  become(target, identifier(exportOf(module, target.identifier!.name!)));
  if (statement.type === 'FunctionDeclaration') statement.isLocal = true;
  else statement.type = 'LocalStatement';
}

/** Declares in front what is mentioned above its place. */
function forward(body: Node[], exported: Set<Binding>): Node[] {
  const early: Binding[] = [];
  const seen = new Set<Binding>();
  const out = body.map((statement) => {
    const own = statement.isLocal ? statement.identifier! : statement.variables?.[0];
    const binding = own?.binding;
    const isFunction = statement.type === 'FunctionDeclaration';
    const isEarly = binding && exported.has(binding) && seen.has(binding);
    walk(statement, (node) => {
      if (node.binding) seen.add(node.binding);
    });
    if (!isEarly) return statement;
    early.push(binding);
    binding.writes++;
    own!.isWrite = true;
    binding.refs.push(own!);
    const value: Node = isFunction
      ? { ...statement, isLocal: false, identifier: undefined }
      : statement.init![0];
    return { ...statement, type: 'AssignmentStatement', variables: [own!], init: [value] };
  });
  if (early.length === 0) return out;
  return [{ type: 'LocalStatement', variables: early.map(identifier), init: [] }, ...out];
}
