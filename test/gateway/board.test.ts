import { expect, test } from 'vitest';
import { boardNames, loadBoard, parseBoard } from '../../gateway/board.ts';
import { GatewayError } from '../../gateway/errors.ts';

function refusal(call: () => unknown): GatewayError {
  try {
    call();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('was not refused');
}

test('loadBoard() gives every profile that comes with the project', () => {
  expect(boardNames()).toEqual([
    'banglejs1',
    'banglejs2',
    'esp32-espruino',
    'esp32-nodemcu',
    'esp8266-nodemcu',
    'espruino-linux',
    'pixljs',
    'puckjs',
  ]);
  for (const name of boardNames()) expect(loadBoard(name).name).toBe(name);
  expect(loadBoard('puckjs').variables).toBe(2630);
  expect(loadBoard('puckjs').flash.start).toBe(442_368);
});

test('loadBoard() names the boards there are when there is none of that name', () => {
  const error = refusal(() => loadBoard('arduino'));
  expect(error.code).toBe('bad-board');
  expect(error.line()).toBe(
    "no board named 'arduino' (there are: banglejs1, banglejs2, esp32-espruino, esp32-nodemcu, " +
      'esp8266-nodemcu, espruino-linux, pixljs, puckjs)',
  );
});

test('parseBoard() names the field when one is wrong, missing or unknown', () => {
  const good = loadBoard('puckjs');
  const line = (value: unknown): string => refusal(() => parseBoard(value, 'my.json')).line();
  expect(line({ ...good, ram: '64k' })).toBe('my.json: ram must be integer');
  expect(line({ ...good, chunkBytes: 130 })).toBe('my.json: chunkBytes must be multiple of 4');
  expect(line({ ...good, family: 'arduino' })).toBe(
    'my.json: family must be one of espruino, nodemcu',
  );
  expect(line({ ...good, colour: 1 })).toContain('my.json: colour ');
  const { variables: _, ...less } = good;
  expect(line(less)).toContain('my.json: variables ');
  expect(line({ ...good, flash: { ...good.flash, mapped: 1 } })).toContain('flash.mapped ');
  expect(line({ ...good, energy: { ...good.energy, volts: 0 } })).toContain('energy.volts ');
});

test('parseBoard() refuses a profile when its slots do not fit into Storage', () => {
  const board = { ...loadBoard('puckjs'), slotPages: 4 };
  expect(refusal(() => parseBoard(board, 'p')).line()).toBe(
    'p: two slots of 4 pages and the log need 11 pages, Storage has 10',
  );
});

test('loadBoard() names the source of the figures of energy where there are any', () => {
  const boards = boardNames().map(loadBoard);
  expect(boards.filter(({ energy }) => energy !== undefined).length).toBeGreaterThan(0);
  for (const { name, energy, sources } of boards) {
    expect(sources.energy !== undefined, name).toBe(energy !== undefined);
  }
});
