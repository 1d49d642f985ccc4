import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createNotifier } from '../../gateway/notify.ts';
import { temporary } from '../support/loop-world.ts';

const has = (program: string) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const canRun = has('systemd-notify') && has('socat');
const skipped = canRun ? '' : ' (skipped: systemd-notify or socat is not installed)';

describe('createNotifier()', () => {
  it.runIf(canRun)(
    `tells the socket of systemd that it is ready, and alive${skipped}`,
    async (ctx) => {
      const path = join(temporary(), 'notify');
      const socat = spawn('socat', ['-u', `UNIX-RECV:${path}`, '-'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      ctx.onTestFinished(() => void socat.kill());
      let heard = '';
      socat.stdout.on('data', (chunk) => {
        heard += chunk;
      });
      const waiting = { timeout: 10_000, interval: 20 };
      await vi.waitFor(() => expect(existsSync(path)).toBe(true), waiting);
      const failed = vi.fn();
      const notifier = createNotifier({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '300000' }, failed);
      notifier.ready();
      await vi.waitFor(() => expect(heard).toContain('READY=1'), waiting);
      await vi.waitFor(() => expect(heard.split('WATCHDOG=1').length).toBeGreaterThan(2), waiting);
      notifier.stopping();
      notifier.close();
      await vi.waitFor(() => expect(heard).toContain('STOPPING=1'), waiting);
      expect(heard).toContain(`MAINPID=${process.pid}`);
      expect(failed).not.toHaveBeenCalled();
    },
  );

  it('says once that the program is not there', async () => {
    const failed = vi.fn();
    const notifier = createNotifier({ NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' }, failed);
    notifier.ready();
    notifier.stopping();
    notifier.close();
    await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce(), 10_000);
  });

  it('does nothing where systemd does not ask', () => {
    const failed = vi.fn();
    const notifier = createNotifier({ PATH: '/nowhere' }, failed);
    notifier.ready();
    notifier.close();
    expect(failed).not.toHaveBeenCalled();
  });
});
