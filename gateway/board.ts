import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import Type, { type Static } from 'typebox';
import { GatewayError } from './errors.ts';

const closed = { additionalProperties: false } as const;
const count = (description: string) => Type.Integer({ minimum: 1, description });

/** The schema of `hardware/boards/*.json`: what one kind of board has, and where that is written. */
const BoardSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', description: 'as the file is called' }),
    title: Type.String({ minLength: 1, description: 'as its maker writes it' }),
    family: Type.Enum(['espruino', 'nodemcu'], { description: 'which runtime is built for it' }),
    firmware: Type.Optional(
      Type.String({ minLength: 1, description: 'what its firmware calls itself' }),
    ),
    chip: Type.String({ minLength: 1 }),
    ram: Type.Integer({
      minimum: 0,
      description: 'bytes; 0 where the host has as much as it likes',
    }),
    variables: Type.Integer({ minimum: 0, description: 'JsVars; 0 where they grow' }),
    flash: Type.Object(
      {
        start: Type.Integer({ minimum: 0, description: 'address where Storage begins' }),
        pageBytes: count('bytes erased at a time'),
        pages: count('pages that Storage has'),
        cycles: Type.Optional(
          count('erases that its maker promises of a page; absent where unknown'),
        ),
        mapped: Type.Boolean({ description: 'readable as memory; else models are copied to RAM' }),
      },
      closed,
    ),
    slotPages: count('pages of each of the two model slots'),
    port: Type.String({
      pattern: '^[A-Z][A-Za-z0-9]*$',
      description: 'object that the link speaks through',
    }),
    console: Type.Optional(
      Type.String({
        pattern: '^[A-Z][A-Za-z0-9]*$',
        description: 'where the console goes while the link runs; absent: nowhere',
      }),
    ),
    consoleBaud: Type.Optional(count('of the console of a bare board; absent: the same as `baud`')),
    baud: count('of the serial port'),
    chunkBytes: Type.Integer({
      minimum: 4,
      maximum: 1024,
      multipleOf: 4,
      description: 'bytes of a model asked for at a time',
    }),
    ring: count('samples that wait for an acknowledgement'),
    lfs: Type.Optional(
      Type.Boolean({
        description: 'NodeMCU: too little RAM for the bundle outside its flash store',
      }),
    ),
    button: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'NodeMCU: pin, by its own numbers, of the button that keeps the console',
      }),
    ),
    tiers: Type.Array(Type.Enum(['reference', 'convolve', 'tflm', 'thumb', 'lua']), {
      minItems: 1,
      uniqueItems: true,
      description: 'kernels it can run, the fastest first',
    }),
    suites: Type.Array(Type.Enum(['ccm', 'mac', 'none']), {
      minItems: 1,
      uniqueItems: true,
      description: 'what it can do natively to secure the link, the strongest first',
    }),
    sensors: Type.Array(
      Type.Enum(['bangle-accelerometer', 'puck-accelerometer', 'analogue-input']),
      {
        description: 'drivers that its bundle contains',
      },
    ),
    energy: Type.Optional(
      Type.Object(
        {
          clockMHz: Type.Number({ exclusiveMinimum: 0, description: 'of the processor' }),
          cyclesPerMac: Type.Number({
            exclusiveMinimum: 0,
            description: 'of one multiplication of a layer, its share of the loop included',
          }),
          milliamps: Type.Number({ exclusiveMinimum: 0, description: 'while the processor runs' }),
          volts: Type.Number({ exclusiveMinimum: 0, description: 'at which that was measured' }),
        },
        { ...closed, description: 'for estimates of time and energy; absent where unknown' },
      ),
    ),
    sources: Type.Record(Type.String(), Type.String(), {
      description: 'where each figure was read',
    }),
  },
  closed,
);

/** A board's profile. */
export type BoardProfile = Static<typeof BoardSchema>;

const folder = join(import.meta.dirname, '..', 'hardware', 'boards');
const check = new Ajv2020({ verbose: true }).compile(BoardSchema);

/** Names of the boards that come with the project, sorted. */
export function boardNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

/**
 * Reads and checks a board's profile.
 *
 * @param name name of a board in `hardware/boards`
 * @throws GatewayError 'bad-board' if there is none of that name or its profile is wrong
 * @example loadBoard('puckjs').variables // 2630
 */
export function loadBoard(name: string): BoardProfile {
  if (!boardNames().includes(name)) {
    throw new GatewayError('bad-board', `no board named '${name}'`, {
      hint: `there are: ${boardNames().join(', ')}`,
    });
  }
  const path = join(folder, `${name}.json`);
  try {
    return parseBoard(JSON.parse(readFileSync(path, 'utf8')), path);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('bad-board', `board file ${path} cannot be read`, { cause });
  }
}

/**
 * Checks a board's profile that was read from anywhere.
 *
 * @param value parsed JSON
 * @param name what to call it in an error
 * @throws GatewayError 'bad-board' that names the field and what is expected there
 */
export function parseBoard(value: unknown, name = 'board'): BoardProfile {
  if (!check(value)) {
    const error = check.errors?.[0];
    const extra = error?.params.additionalProperty ?? error?.params.missingProperty;
    const where = [error?.instancePath.slice(1).replaceAll('/', '.'), extra]
      .filter((part) => part !== '' && part !== undefined)
      .join('.');
    const allowed = error?.params.allowedValues as string[] | undefined;
    const problem = allowed ? `must be one of ${allowed.join(', ')}` : error?.message;
    throw new GatewayError('bad-board', `${name}: ${where || 'the profile'} ${problem}`);
  }
  const board = value as BoardProfile;
  const need = 3 + 2 * board.slotPages;
  if (need > board.flash.pages) {
    throw new GatewayError(
      'bad-board',
      `${name}: two slots of ${board.slotPages} pages and the log need ${need} pages, ` +
        `Storage has ${board.flash.pages}`,
    );
  }
  return board;
}
