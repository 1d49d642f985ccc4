import { describe, expect, it, onTestFinished } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { espruinoUploader } from '../../../gateway/flash/espruino.ts';
import type { Port } from '../../../gateway/link/port.ts';
import { serialPort } from '../../../gateway/link/serial.ts';
import { bareEspruino } from '../../support/flashed-boards.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

const board = loadBoard('espruino-linux');
const payload = {
  // what a line of text could not carry as it is
  runtime: Buffer.from(`${'x=1;'.repeat(300)}//"\\\u0001\u0003\u0004\u0010\u00ff\n`, 'latin1'),
  start: { id: 'a', serial: { path: '/dev/null' } },
  slot: Uint8Array.from({ length: 700 }, (_, i) => (i * 7) % 256),
};

/** The line of a bare board; `pass` may change or leave out what goes to it. */
async function uploader(options: { repl?: boolean }, pass = (bytes: Uint8Array) => bytes) {
  const bare = await bareEspruino();
  onTestFinished(bare.close);
  const open = (baud: number): Port => {
    const port = serialPort(bare.cable.path, { baud });
    return { ...port, write: (bytes) => port.write(pass(bytes)) };
  };
  const made = espruinoUploader(open, board, options);
  onTestFinished(made.close);
  return made;
}

describe.skipIf(!hasSocat || espruinoPath() === undefined)(
  `espruinoUploader()${skippedSocat}${skippedEspruino}`,
  () => {
    it('writes and reads back what it was given when it speaks by lines', async () => {
      const made = await uploader({ repl: true });
      expect(await made.look()).toMatchObject({
        ...{ firmware: 'LINUX', way: 'lines', foreign: [], problems: [], wasRunning: false },
      });
      const steps: string[] = [];
      await made.upload(payload, (what, done) => done > 0 && steps.push(what));
      expect([...new Set(steps)]).toEqual(['slot file', 'runtime', 'start options', 'boot code']);
    });

    it('sends a file again when a byte of a packet is lost, and refuses what differs', async () => {
      let seen = 0;
      let fault = (bytes: Uint8Array): Uint8Array => bytes;
      const made = await uploader({}, (bytes) => {
        // a packet of data: 10 01 8…
        const isData = bytes[0] === 0x10 && bytes[1] === 1 && (bytes[2]! & 0xe0) === 0x80;
        if (!isData || ++seen !== 2) return bytes;
        return fault(bytes);
      });
      expect(await made.look()).toMatchObject({ way: 'packets' });
      fault = (bytes) => bytes.subarray(0, -1);
      await made.upload(payload, () => {});
      seen = 0;
      fault = (bytes) => bytes.with(50, bytes[50]! ^ 1);
      await expect(made.upload(payload, () => {})).rejects.toMatchObject({
        code: 'port',
        message: 'runtime on the board differs from what was sent at byte 0',
      });
    });

    it('names files that are not its own, and a board that is another', async () => {
      const bare = await bareEspruino();
      onTestFinished(bare.close);
      const open = (baud: number): Port => serialPort(bare.cable.path, { baud });
      const other = espruinoUploader(open, loadBoard('pixljs'), {});
      onTestFinished(other.close);
      const { problems } = await other.look();
      expect(problems).toContain('it is LINUX, not PIXLJS');
      expect(problems).toContain('its flash has no page of 4096 bytes at 446464');
    });
  },
);
