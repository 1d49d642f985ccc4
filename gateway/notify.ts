import { spawn } from 'node:child_process';

/** Tells systemd how the gateway is; nothing where systemd does not ask. */
export interface Notifier {
  /** It serves. */
  ready(): void;
  /** It is about to end. */
  stopping(): void;
  close(): void;
}

/** Of the watchdog's time, the part after which it is told again. */
const SHARE = 1 / 3;

/**
 * Speaks to systemd by its own program: Node has no datagrams on Unix sockets. The watchdog is told by
 * this process's event loop, so one that hangs is started again.
 *
 * @param env NOTIFY_SOCKET and WATCHDOG_USEC, as systemd sets them
 * @param failed is told once, if the program cannot be run
 * @source sd_notify(3), systemd-notify(1)
 */
export function createNotifier(
  env: Record<string, string | undefined>,
  failed: (error: Error) => void,
): Notifier {
  if (!env.NOTIFY_SOCKET) return { ready() {}, stopping() {}, close() {} };
  let isTold = false;
  const tell = (...words: string[]): void => {
    const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...words], {
      ...{ env: { ...process.env, ...env }, stdio: 'ignore' },
    });
    child.on('error', (error) => {
      if (!isTold) failed(error);
      isTold = true;
    });
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    ready() {
      tell('--ready');
      const everyMs = (Number(env.WATCHDOG_USEC ?? 0) / 1000) * SHARE;
      if (everyMs > 0) timer = setInterval(() => tell('WATCHDOG=1'), everyMs);
      timer?.unref();
    },
    stopping: () => tell('STOPPING=1'),
    close: () => clearInterval(timer),
  };
}
