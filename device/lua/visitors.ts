import ts from 'typescript';
import * as tstl from 'typescript-to-lua';

const call = (name: string, ...values: tstl.Expression[]): tstl.Expression =>
  tstl.createCallExpression(tstl.createIdentifier(name), values);

/** The name of a member of Math; nothing else in the core is called so. */
function mathName(node: ts.Expression): string | undefined {
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  return node.expression.text === 'Math' ? node.name.text : undefined;
}

/** Whether a value may be a Lua table counted from 1, and whether it can be nothing else. */
function listness(context: tstl.TransformationContext, node: ts.Expression): [boolean, boolean] {
  const { checker } = context;
  const type = checker.getTypeAtLocation(node);
  const kinds = type.isUnion() ? type.types : [type];
  const lists = kinds.filter((kind) => checker.isArrayType(kind) || checker.isTupleType(kind));
  return [lists.length > 0, lists.length === kinds.length];
}

/** Whether a type has a value that Lua takes for false, or that may be missing. */
function mayBeMissing(context: tstl.TransformationContext, node: ts.Expression): boolean {
  const type = context.checker.getTypeAtLocation(node);
  const flags = ts.TypeFlags.Undefined | ts.TypeFlags.BooleanLike | ts.TypeFlags.Any;
  return (type.isUnion() ? type.types : [type]).some((kind) => (kind.flags & flags) !== 0);
}

/**
 * Where the core means something else than typescript-to-lua takes it for.
 *
 * - `new T(…)` is a call with the number that T is: the prelude's typed arrays are no classes.
 * - the floor of a variable needs no call: Lua's remainder is never negative.
 * - null is `false`: it is a value, which a table can hold and count.
 * - a template's values are written as JavaScript writes them, lists and typed arrays included.
 * - what may be a list or a typed array is asked for its length and its values at run time.
 */
export const visitors: tstl.Visitors = {
  [ts.SyntaxKind.NewExpression]: (node, context) =>
    call(
      '__new',
      ...[node.expression, ...(node.arguments ?? [])].map((value) =>
        context.transformExpression(value),
      ),
    ),
  [ts.SyntaxKind.CallExpression]: (node, context) => {
    const [value] = node.arguments;
    const isFloor = mathName(node.expression) === 'floor';
    if (!isFloor || !ts.isIdentifier(value!)) return context.superTransformExpression(node);
    const part = tstl.createBinaryExpression(
      context.transformExpression(value),
      tstl.createNumericLiteral(1),
      tstl.SyntaxKind.ModuloOperator,
    );
    const whole = context.transformExpression(value);
    return tstl.createBinaryExpression(whole, part, tstl.SyntaxKind.SubtractionOperator);
  },
  [ts.SyntaxKind.NullKeyword]: (node) => tstl.createBooleanLiteral(false, node),
  [ts.SyntaxKind.TemplateExpression]: (node, context) => {
    const parts: tstl.Expression[] = [];
    const add = (text: string): void => {
      if (text !== '') parts.push(tstl.createStringLiteral(text));
    };
    add(node.head.text);
    for (const span of node.templateSpans) {
      parts.push(call('__text', context.transformExpression(span.expression)));
      add(span.literal.text);
    }
    return parts.reduce((all, part) =>
      tstl.createBinaryExpression(all, part, tstl.SyntaxKind.ConcatOperator),
    );
  },
  [ts.SyntaxKind.ConditionalExpression]: (node, context) => {
    if (node.whenTrue.kind !== ts.SyntaxKind.NullKeyword || mayBeMissing(context, node.whenFalse)) {
      return context.superTransformExpression(node);
    }
    const not = tstl.createUnaryExpression(
      context.transformExpression(node.condition),
      tstl.SyntaxKind.NotOperator,
    );
    const value = context.transformExpression(node.whenFalse);
    return tstl.createBinaryExpression(
      tstl.createBinaryExpression(not, value, tstl.SyntaxKind.AndOperator),
      tstl.createBooleanLiteral(false),
      tstl.SyntaxKind.OrOperator,
    );
  },
  [ts.SyntaxKind.PropertyAccessExpression]: (node, context) => {
    if (mathName(node) !== undefined) {
      const member = tstl.createStringLiteral(node.name.text);
      return tstl.createTableIndexExpression(tstl.createIdentifier('math'), member, node);
    }
    const [may, must] = listness(context, node.expression);
    return node.name.text === 'length' && may && !must
      ? call('__length', context.transformExpression(node.expression))
      : context.superTransformExpression(node);
  },
  [ts.SyntaxKind.ElementAccessExpression]: (node, context) => {
    const [may, must] = listness(context, node.expression);
    if (!may || must) return context.superTransformExpression(node);
    const [table, index] = [node.expression, node.argumentExpression];
    return call('__at', context.transformExpression(table), context.transformExpression(index));
  },
};
