import { expect, it } from 'vitest';
import { openLine } from '../../../gateway/flash/line.ts';
import { replConsole } from '../../../gateway/flash/repl.ts';
import { pairedPorts } from '../../../gateway/link/port.ts';

it("replConsole() names an answer that is none, without a terminal's codes", async () => {
  const [near, far] = pairedPorts();
  await far.open();
  let mark = 0;
  far.onData(() => far.write(Buffer.from(`<${++mark}:[1,\x1b[2J\xff:${mark}>`, 'latin1')));
  const console = replConsole(await openLine(near));
  const failed = expect(console.evaluate('1')).rejects;
  await failed.toMatchObject({ code: 'port', message: expect.stringContaining('\\u001b[2J') });
});
