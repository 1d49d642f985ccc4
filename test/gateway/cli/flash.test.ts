import { describe, expect, it } from 'vitest';
import { whetstone } from './run.ts';

describe('whetstone flash', () => {
  it('lists ports and says what to type when no port is named', async () => {
    const { status, out } = await whetstone('flash');
    expect(status).toBe(0);
    expect(out).toMatch(/flash one with: whetstone flash --port \S+ --board NAME --task gesture/);
    expect(out).toContain('espruino-linux');
    const { ports, bluetooth } = JSON.parse((await whetstone('flash', '--json')).out);
    expect([ports, bluetooth.boards].map(Array.isArray)).toEqual([true, true]);
    // boards that are heard, or none, or why it cannot hear any
    expect(out).toMatch(
      /dBm|no board is heard by Bluetooth|Bluetooth was not listened to: .*\(.*\)/,
    );
  });

  it('is misused without a board, and with start options that are none', async () => {
    const without = await whetstone('flash', '--port', '/dev/null');
    expect([without.status, without.err]).toEqual([2, expect.stringContaining('--board NAME')]);
    for (const text of ['{', '[]', '3']) {
      expect((await whetstone('flash', '--start', text)).status).toBe(2);
    }
  });

  it('wants it said that a board has no keys', async () => {
    const args = ['--port', '/dev/null', '--board', 'banglejs1', '--data-dir', ':memory:'];
    const { status, err } = await whetstone('flash', ...args);
    expect(status).toBe(1);
    expect(err).toMatch(/banglejs1 has nothing to secure a link with \(.*--allow-weak-link/);
  });
});
