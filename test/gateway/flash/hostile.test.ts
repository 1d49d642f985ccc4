import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { espruinoUploader } from '../../../gateway/flash/espruino.ts';
import { openLine } from '../../../gateway/flash/line.ts';
import { nodemcuUploader } from '../../../gateway/flash/nodemcu.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { heldPty } from '../../support/board-cable.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';

const board = loadBoard('espruino-linux');
const { start, pageBytes } = board.flash;
const FACTS = [1e5, [], 'ab-123456', { addr: start, length: pageBytes }];
const HAS = [[1, 1], 1];
const payload = { runtime: Buffer.from('x=1;'), start: { id: 'a' }, slot: new Uint8Array(700) };

/** What a board says to one of the lines that ask it for a value. */
type Says = (expression: string) => unknown;

/**
 * A board on a pty that takes lines as Espruino does, and says what it likes.
 *
 * @param says what is said to an expression, as JSON; a Buffer as it is, again and again for ever
 * @param greets what is said to the question which board it is
 */
async function hostileBoard(says: Says, greets = '<board LINUX 2v10>\n') {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-hostile-'));
  const pty = await heldPty(folder, 'host');
  onTestFinished(async () => {
    await pty.end();
    rmSync(folder, { recursive: true, force: true });
  });
  const pour = (bytes: Buffer): void => {
    if (pty.inside.destroyed) return;
    for (let i = 0; i < 16; i++) {
      if (!pty.inside.write(bytes)) return void pty.inside.once('drain', () => pour(bytes));
    }
    setImmediate(pour, bytes);
  };
  let text = '';
  pty.inside.on('data', (data: Buffer) => {
    text += data.toString('latin1');
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (line.includes('board ')) pty.inside.write(greets);
      const asked = /print\("<"\+(\d+)\+":"\+JSON\.stringify\((.*)\)\+":"/.exec(line);
      if (asked === null) continue;
      const [, mark, expression] = asked;
      const answer = says(expression!);
      if (Buffer.isBuffer(answer)) pour(answer);
      else pty.inside.write(`<${mark}:${JSON.stringify(answer)}:${mark}>`);
    }
  });
  const open = (baud: number) => serialPort(pty.path, { baud });
  const uploader = espruinoUploader(open, board, {});
  onTestFinished(uploader.close);
  return { pty, pour, open, uploader };
}

/** Answers as a board should. */
const honest: Says = (expression) => {
  if (expression.startsWith('[process.memory')) return FACTS;
  if (expression.startsWith('[(function')) return HAS;
  return 1;
};

/** What a flash of it came to: the error, and the longest time in which nothing else could be done. */
async function outcome(act: Promise<unknown>): Promise<{ error: unknown; heapMb: number }> {
  const before = process.memoryUsage().heapUsed;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().heapUsed);
  }, 5);
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  clearInterval(timer);
  return { error, heapMb: (most - before) / 1e6 };
}

describe.skipIf(!hasSocat)(`a hostile board${skippedSocat}`, () => {
  it('that says answers that begin and never end is no board, whatever it is asked', async () => {
    const noise = Buffer.from('<1:<2:<board '.repeat(5000));
    const { pour, uploader } = await hostileBoard(() => 0, '');
    pour(noise);
    const { error, heapMb } = await outcome(uploader.look());
    expect(error).toMatchObject({ code: 'port' });
    expect(String(error)).toMatch(/no console answers .*never stops talking/);
    expect(heapMb).toBeLessThan(200);
  });

  it.each([
    ['noise', Buffer.alloc(65_536, 'x')],
    ['answers that begin and never end', Buffer.from('<2:<3:'.repeat(11_000))],
  ])('that says %s in the place of an answer is refused long before its time', async (_, noise) => {
    const { uploader } = await hostileBoard((expression) =>
      expression.includes('eraseAll') ? noise : honest(expression),
    );
    await uploader.look();
    // erasing may take four minutes
    const { error } = await outcome(uploader.upload(payload, () => {}));
    expect(error).toMatchObject({ code: 'port' });
    expect(String(error)).toMatch(/never stops talking/);
  });

  it.each<[string, unknown]>([
    ['wrong', 12345],
    ['no number', 'right'],
    ['nothing', null],
    ['a thousand numbers', Array.from({ length: 1000 }, () => 0)],
  ])('that says of a checksum %s is told that it differs', async (_, crc) => {
    const { uploader } = await hostileBoard((expression) =>
      expression.startsWith('E.CRC32') ? crc : honest(expression),
    );
    await uploader.look();
    await expect(uploader.upload(payload, () => {})).rejects.toMatchObject({
      ...{ code: 'port', message: 'Storage on the board differs from what was sent at byte 0' },
    });
  });

  it.each<[unknown]>([
    [null],
    [7],
    [{}],
    ['\u001b[2J'],
    [[]],
    [[1, null, 'a', null]],
    [[1, [1, 2], 'a', null]],
    [[1e5, [], {}, null]],
    [[1e5, [], 'a', 'page']],
    [[1e5, ['x'.repeat(300)], 'a', null]],
  ])('that says of itself %j is refused in words', async (facts) => {
    const { uploader } = await hostileBoard((expression) =>
      expression.startsWith('[process.memory') ? facts : honest(expression),
    );
    const { error } = await outcome(uploader.look());
    expect(error).toMatchObject({ name: 'GatewayError', code: 'wrong-board' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey it
    expect(String(error)).not.toMatch(/[\x00-\x1f]/);
  });

  it("that has a terminal's codes in what it says is not repeated by letter", async () => {
    const { uploader } = await hostileBoard(honest, '<board \x1b[2J \x07><board LINUX 1v10>\n');
    const { error } = await outcome(uploader.look());
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey it
    expect(String(error)).not.toMatch(/[\x00-\x1f]/);
    expect(error).toMatchObject({ name: 'GatewayError' });
    const refused = await hostileBoard(() => Buffer.from('Uncaught \x1b[2J\x07 no\n'));
    const second = await outcome(refused.uploader.look());
    expect(second.error).toMatchObject({
      code: 'bad-bundle',
      message: expect.stringMatching(/^[\x20-\x7e…]+$/),
    });
  });

  it('that takes nothing is given up', async () => {
    const { pty, open } = await hostileBoard(honest);
    pty.inside.pause();
    const line = await openLine(open(115_200), 300);
    const write = line.write('x'.repeat(4_000_000));
    await expect(write).rejects.toMatchObject({
      ...{ code: 'port', message: expect.stringContaining('takes nothing any more') },
    });
    await line.close();
  });

  it('of the other family that never stops is no board either', async () => {
    const { pour, open } = await hostileBoard(() => 0, '');
    pour(Buffer.from('<1:stdin:1'.repeat(6000)));
    const uploader = nodemcuUploader(open, loadBoard('esp32-nodemcu'), {});
    onTestFinished(uploader.close);
    const { error } = await outcome(uploader.look());
    expect(String(error)).toMatch(/no console answers .*never stops talking/);
  });
});
