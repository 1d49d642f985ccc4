import { type Client, createClient, type Target } from './client.ts';
import { followLive, type LinkState } from './live.ts';
import type { GatewayEvent, WindowView } from './views.ts';

/** What a node wants to hear of its gateway. */
export interface Follower {
  state?(state: LinkState): void;
  event?(event: GatewayEvent): void;
  window?(window: WindowView): void;
  skipped?(windows: number): void;
}

/** A gateway as its nodes share it: one client, and one socket while somebody follows. */
export interface Link {
  readonly client: Client;
  /** Tells of the gateway until the function that it gives is called. */
  follow(follower: Follower): () => void;
  close(): void;
}

/** Where the id of the last event is kept that was told. */
export interface Cursor {
  load(): Promise<number | undefined>;
  save(id: number): void;
}

/** A deployment makes its nodes one after the other; they shall share one connection. */
const GATHER_MS = 50;

/**
 * Shares a gateway among nodes.
 *
 * @param target where it is
 * @param cursor where the nodes go on after a deployment
 * @param owner told how it stands, as every follower
 * @throws ApiError 'bad-url'
 */
export function createLink(
  target: Target,
  cursor: Cursor,
  owner: (state: LinkState) => void,
): Link {
  const client = createClient(target);
  const followers = new Set<Follower>();
  let state: LinkState = { phase: 'connecting' };
  let end: (() => void) | undefined;
  let topics: readonly string[] = [];
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let latest: number | undefined;

  const wanted = (): string[] => {
    const all = [...followers];
    return ['events', ...(all.some((one) => one.window) ? ['windows'] : [])];
  };

  async function open(): Promise<void> {
    latest ??= await cursor.load();
    if (isClosed || followers.size === 0) return;
    const next = wanted();
    if (end !== undefined && next.every((topic) => topics.includes(topic))) return;
    end?.();
    topics = next;
    end = followLive(
      { target, topics, since: latest },
      {
        state(now) {
          state = now;
          owner(now);
          for (const { state: told } of [...followers]) told?.(now);
        },
        event(event) {
          for (const { event: told } of [...followers]) told?.(event);
        },
        window(window) {
          for (const { window: told } of [...followers]) told?.(window);
        },
        skipped(windows) {
          for (const { skipped: told } of [...followers]) told?.(windows);
        },
        cursor(id) {
          latest = id;
          cursor.save(id);
        },
      },
    );
  }

  function stop(): void {
    clearTimeout(timer);
    end?.();
    end = undefined;
    state = { phase: 'connecting' };
  }

  return {
    client,
    follow(follower) {
      followers.add(follower);
      follower.state?.(state);
      clearTimeout(timer);
      timer = setTimeout(open, GATHER_MS);
      return () => {
        followers.delete(follower);
        if (followers.size === 0) stop();
      };
    },
    close() {
      isClosed = true;
      stop();
      client.close();
    },
  };
}
