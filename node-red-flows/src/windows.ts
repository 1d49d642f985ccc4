import type { Member } from './gateway-node.ts';
import type { LinkState } from './live.ts';
import type { Signal, WindowView } from './views.ts';

/** A window, with its samples where they are wanted and there. */
export interface SentWindow extends WindowView {
  signal?: Signal | null;
}

export interface WindowsOptions {
  withSignal: boolean;
  wants(window: WindowView): boolean;
  send(window: SentWindow): void;
  failed(error: Error, window: WindowView): void;
}

/** Takes the windows of a gateway in the order in which they come. */
export interface Windows {
  push(window: WindowView): void;
  state(state: LinkState): void;
  /** The node whose windows they are; before it nothing is asked for. */
  use(member: Member): void;
}

/** A device's windows that are asked for at a time after a lost connection, and at most. */
const PAGE = 200;
const MOST = 2000;

/**
 * Sends windows on, each once: what was stored while the connection was lost is asked for when it is
 * there again, before what comes then.
 */
export function createWindows(options: WindowsOptions): Windows {
  const { withSignal, wants, send, failed } = options;
  /** newest windows of each device, oldest first */
  const seen = new Map<string, Set<string>>();
  /** one after the other, so that samples that are asked for do not change the order */
  let queue = Promise.resolve();
  let wasLost = false;
  let member: Member | undefined;

  const get = <T>(path: string, query: object = {}): Promise<T> =>
    member!.link().client.get<T>(path, query, member!.signal);
  const isOver = (): boolean => member!.signal.aborted;

  function isNew({ device, id }: WindowView): boolean {
    const ids = seen.get(device) ?? new Set();
    if (ids.has(id)) return false;
    seen.set(device, ids.add(id));
    for (const oldest of ids) if (ids.size > MOST) ids.delete(oldest);
    return true;
  }

  async function take(window: WindowView): Promise<void> {
    if (isOver() || !isNew(window) || !wants(window)) return;
    if (!withSignal || !window.raw) return send(window);
    const { device, id } = window;
    try {
      send(await get<SentWindow>(`${pathOf(device)}/${encodeURIComponent(id)}`));
    } catch (error) {
      if (!isOver()) failed(error as Error, window);
    }
  }

  /** What a device saw since the last window that came, oldest first. */
  async function missed(device: string, ids: ReadonlySet<string>): Promise<WindowView[]> {
    const found: WindowView[] = [];
    while (found.length < MOST) {
      const before = found.at(-1)?.id;
      const page = await get<WindowView[]>(pathOf(device), { limit: PAGE, before });
      const last = page.findIndex(({ id }) => ids.has(id));
      found.push(...(last < 0 ? page : page.slice(0, last)));
      if (last >= 0 || page.length < PAGE) break;
    }
    return found.reverse();
  }

  async function catchUp(): Promise<void> {
    for (const [device, ids] of [...seen]) {
      try {
        for (const window of await missed(device, ids)) await take(window);
      } catch (error) {
        const [window] = [...ids].slice(-1);
        if (!isOver()) failed(error as Error, { device, id: window } as WindowView);
      }
    }
  }

  const enqueue = (act: () => Promise<void>): void => {
    queue = queue.then(act);
  };

  /** Windows that come over a new connection wait until the missed ones were sent. */
  function resume(): void {
    if (!wasLost) return;
    wasLost = false;
    enqueue(catchUp);
  }

  return {
    push(window) {
      resume();
      enqueue(() => take(window));
    },
    state(state) {
      if (state.phase === 'connected') resume();
      else wasLost = true;
    },
    use(node) {
      member = node;
    },
  };
}

const pathOf = (device: string): string => `/devices/${encodeURIComponent(device)}/windows`;
