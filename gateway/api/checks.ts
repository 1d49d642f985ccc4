import { Ajv } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

/**
 * Checks what is asked. An address knows only text, so its numbers are read; a body says what it means:
 * `null`, which JSON makes of NaN, is no zero, and `"false"` is no boolean.
 */
export function createChecks(): FastifySchemaCompiler<object> {
  const ofText = new Ajv({ coerceTypes: true, verbose: true });
  const ofJson = new Ajv({ verbose: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? ofJson : ofText).compile(schema);
}
