import Type, { type Static, type TEnum, type TSchema, type TUnsafe } from 'typebox';

/**
 * A schema, or null.
 *
 * @param description what it is, and when it is null
 */
export function orNull<T extends TSchema>(schema: T, description: string) {
  return Type.Union([schema, Type.Null()], { description });
}

/** A moment, ms since 1970. */
export const time = (description: string) =>
  Type.Number({ description: `${description}, ms since 1970` });

/** A moment, or null. */
export const timeOrNull = (description: string) => orNull(Type.Number(), description);

/** How many, or how much, in whole numbers. */
export const count = (description: string) => Type.Integer({ description });

/** A share, 0 to 1. */
export const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

/** Text. */
export const text = (description: string) => Type.String({ description });

/** One of some words. */
export const oneOf = <T extends string>(words: T[], description: string): TEnum<T[]> =>
  Type.Enum(words, { description });

/** An object whose names are not known beforehand. */
export const byName = <T extends TSchema>(
  values: T,
  description: string,
): TUnsafe<{ [name: string]: Static<T> }> =>
  Type.Unsafe({ type: 'object', additionalProperties: values, description });

export const version = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hex' });
