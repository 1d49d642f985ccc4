import type { ErrorObject } from 'ajv';

/** Parts of a request, as people name them. */
const PLACES: Record<string, string> = {
  ...{ body: 'the body', querystring: 'the query', params: 'the address', headers: 'the headers' },
};
/** Letters of a wrong value that are repeated. */
const SHOWN = 40;

/**
 * What is wrong with a request, in a sentence: which field, and what it takes.
 *
 * @param error of Ajv, with the schema and the value (`verbose`)
 * @param place 'body', 'querystring', 'params' or 'headers'
 * @example complaint({ keyword: 'minLength', instancePath: '/source', schemaPath: '', params: { limit: 1 }, data: '', parentSchema: { description: 'who says it' } }, 'body') // 'source is empty: it takes who says it'
 * @example complaint({ keyword: 'maximum', instancePath: '/rows/3/trust', schemaPath: '', params: { limit: 1 }, data: 7 }, 'body') // 'rows[3].trust is 7: it takes 1 at most'
 */
export function complaint(error: ErrorObject, place: string): string {
  const { keyword, instancePath, params, data, parentSchema, message } = error;
  const name = nameOf(instancePath) || PLACES[place] || place;
  const described = parentSchema?.description as string | undefined;
  const takes = described === undefined ? '' : `: it takes ${described}`;
  const { limit } = params;
  switch (keyword) {
    case 'required':
      return `${join(instancePath, params.missingProperty)} is missing`;
    case 'additionalProperties':
      return `there is no field ${join(instancePath, params.additionalProperty)}`;
    case 'enum':
      return `${name} is ${shown(data)}: it takes ${params.allowedValues.join(', ')}`;
    case 'minimum':
      return `${name} is ${shown(data)}: it takes ${limit} at least`;
    case 'exclusiveMinimum':
      return `${name} is ${shown(data)}: it takes more than ${limit}`;
    case 'maximum':
      return `${name} is ${shown(data)}: it takes ${limit} at most`;
    case 'maxLength':
      return `${name} is longer than ${limit} characters`;
    case 'type':
      return `${name} is ${shown(data)}: it takes ${params.type}`;
    default:
      if (data === '') return `${name} is empty${takes}`;
      return `${name} is ${shown(data)}${takes || `: it ${message}`}`;
  }
}

const nameOf = (path: string): string =>
  path
    .slice(1)
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');

const join = (path: string, field: string): string => nameOf(`${path}/${field}`);

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'nothing');
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
