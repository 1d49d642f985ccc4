import Type from 'typebox';

/** What takes no field that it does not know: every section. */
export const closed = { additionalProperties: false } as const;
/** Bounds of a share. */
export const share = { minimum: 0, maximum: 1 } as const;

/** A number of things, at least one. */
export const count = (description: string, options: object = {}) =>
  Type.Integer({ minimum: 1, description, ...options });

/** A deviation, a rate or another size that is never below 0. */
export const deviation = (description: string, value: number) =>
  Type.Number({ minimum: 0, default: value, description });
