import { Ajv2020 } from 'ajv/dist/2020.js';
import { budgetSchema } from './budget/limits.ts';
import type { StartOptions } from './calls.ts';
import { GatewayError } from './errors.ts';
import { readNamedJson } from './named-file.ts';
import { retentionSchema } from './retention.ts';

/** A configuration file holds the options of `start`, in the form of {@link StartOptions}. */
const properties = {
  dataDir: { type: 'string', minLength: 1 },
  task: { type: 'string', minLength: 1 },
  host: { type: 'string', minLength: 1 },
  port: { type: 'integer', minimum: 0, maximum: 65535 },
  tls: {
    type: 'object',
    additionalProperties: false,
    required: ['cert', 'key'],
    properties: {
      cert: { type: 'string', minLength: 1 },
      key: { type: 'string', minLength: 1 },
    },
  },
  names: { type: 'array', items: { type: 'string', pattern: '^[^\\s/]+$' } },
  requireToken: { type: 'boolean' },
  serial: { type: 'array', items: { type: 'string', minLength: 1 } },
  ble: { type: 'array', items: { type: 'string', minLength: 1 } },
  baud: { type: 'integer', minimum: 300 },
  virtual: { type: 'integer', minimum: 0, maximum: 200 },
  seed: { type: 'integer', minimum: 0 },
  recordings: { type: 'string', minLength: 1 },
  allowWeakLink: { type: 'boolean' },
  approval: { enum: ['none', 'canary'] },
  budget: budgetSchema,
  keyFile: { type: 'string', minLength: 1 },
  retention: retentionSchema,
};
const checkConfig = new Ajv2020().compile({
  type: 'object',
  additionalProperties: false,
  properties,
});

/**
 * Reads a configuration file.
 *
 * @param path of a JSON file; without one nothing is configured
 * @throws GatewayError 'bad-config' if it cannot be read, or holds what is no option
 */
export function readConfig(path: string | undefined): StartOptions {
  if (path === undefined) return {};
  const value = readNamedJson(path, { what: 'configuration', code: 'bad-config' });
  if (checkConfig(value)) return value as StartOptions;
  const [error] = checkConfig.errors ?? [];
  const extra = error?.params.additionalProperty as string | undefined;
  const where = [...(error?.instancePath.split('/').slice(1) ?? []), extra]
    .filter(Boolean)
    .join('.');
  const names = Object.keys(properties).join(', ');
  const problem = extra === undefined ? error?.message : `is not a field; fields: ${names}`;
  throw new GatewayError('bad-config', `configuration ${path}: ${where || 'it'} ${problem}`);
}
