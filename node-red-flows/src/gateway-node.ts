import type { Link } from './link.ts';
import type { LinkState } from './live.ts';
import type { Message, Red, RedNode, Sent, Status, Typed } from './red.ts';

/** The configuration node, as the others see it. */
export interface GatewayNode extends RedNode {
  /** undefined where its configuration is wrong */
  link: Link | undefined;
  /** the nodes that name it */
  members: Set<RedNode>;
  /** what Node-RED hands its errors to: a node of each flow, so that a Catch node is told once */
  readonly users: Record<string, RedNode>;
}

/** Fields that every node has. */
export interface Config {
  id: string;
  type: string;
  gateway: string;
}

/** What came of a message: what is sent, and what the status says of it. */
export interface Done {
  send: Sent;
  say: Status;
}

/** A node while it is deployed. */
export interface Member {
  /** aborts when the node is closed */
  readonly signal: AbortSignal;
  /** @throws Error where no gateway, or a wrong one, is chosen */
  link(): Link;
  /** Says what goes on, where nothing is wrong with the gateway. */
  say(status: Status): void;
  /** A field's value: '' and what is not there are undefined. */
  value(field: Typed, message: Message): Promise<unknown>;
  /**
   * Does something for every message; what it throws goes to the Catch nodes.
   *
   * @param busy what is shown meanwhile
   */
  onInput(act: (message: Message) => Promise<Done>, busy: string): void;
  /** Called when the node is closed. */
  onClose(end: () => void): void;
}

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
export const green = (text: string): Status => ({ fill: 'green', shape: 'dot', text: short(text) });
export const yellow = (text: string): Status => ({
  ...{ fill: 'yellow', shape: 'ring', text: short(text) },
});
const red = (text: string): Status => ({ fill: 'red', shape: 'ring', text: short(text) });

/** How it stands with the gateway, as a node's status. */
function statusOf(state: LinkState): Status {
  if (state.phase === 'connecting') return { fill: 'yellow', shape: 'ring', text: 'connecting' };
  if (state.phase === 'connected') return { fill: 'green', shape: 'dot', text: 'connected' };
  const { error } = state;
  if (error.status === 401) return { fill: 'red', shape: 'dot', text: 'token refused' };
  if (error.status === 403) return { fill: 'red', shape: 'dot', text: 'role too small' };
  if (error.code === 'bad-certificate') {
    return { fill: 'red', shape: 'dot', text: 'certificate not trusted' };
  }
  return { fill: 'red', shape: 'ring', text: 'no gateway, trying again' };
}

/**
 * Makes a node a member of the gateway that its configuration names.
 *
 * @param node just created
 * @param follow what it wants to hear beside the state
 */
export function join(
  RED: Red,
  node: RedNode,
  config: Config,
  follow: Omit<Parameters<Link['follow']>[0], 'state'> & { state?(state: LinkState): void } = {},
): Member {
  const gateway = RED.nodes.getNode(config.gateway) as GatewayNode | null;
  const controller = new AbortController();
  const ends: (() => void)[] = [];
  let running = 0;
  let last: LinkState = { phase: 'connecting' };

  function linkState(state: LinkState): void {
    last = state;
    if (running === 0 || state.phase !== 'connected') node.status(statusOf(state));
    follow.state?.(state);
  }

  /** What is wrong with the gateway goes before what a node has to say. */
  function say(status: Status): void {
    node.status(last.phase === 'waiting' ? statusOf(last) : status);
  }

  if (gateway?.link === undefined) {
    node.status(red(gateway === null ? 'no gateway chosen' : 'gateway not configured'));
  } else {
    const { members, link } = gateway;
    members.add(node);
    ends.push(link.follow({ ...follow, state: linkState }), () => members.delete(node));
  }

  node.on('close', (_removed, done) => {
    controller.abort();
    for (const end of ends) end();
    node.status({});
    done();
  });

  return {
    signal: controller.signal,
    link() {
      if (gateway?.link !== undefined) return gateway.link;
      throw new Error(
        gateway === null
          ? 'no gateway is chosen: open the node and choose one'
          : 'the gateway node is not configured: open it and test the connection',
      );
    },
    say,
    value: (field, message) => evaluate(RED, node, field, message),
    onInput(act, busy) {
      node.on('input', async (message, send, done) => {
        running++;
        node.status({ fill: 'blue', shape: 'dot', text: busy });
        try {
          const result = await act(message);
          running--;
          if (running === 0) say(result.say);
          send(result.send);
          done();
        } catch (error) {
          running--;
          // the flow that it belonged to is gone
          if (controller.signal.aborted) return done();
          node.status(red((error as Error).message));
          done(error as Error);
        }
      });
    },
    onClose: (end) => void ends.push(end),
  };
}

/** @returns undefined for '' and for what is not there */
function evaluate(RED: Red, node: RedNode, field: Typed, message: Message): Promise<unknown> {
  const { value, type } = field;
  return new Promise((resolve, reject) => {
    try {
      RED.util.evaluateNodeProperty(value, type, node, message, (error, found) => {
        if (error) reject(error);
        else resolve(found === '' || found === null ? undefined : found);
      });
    } catch (error) {
      // a path through something that is not there
      if (error instanceof TypeError) resolve(undefined);
      else reject(error as Error);
    }
  });
}

/**
 * A value that has to be text.
 *
 * @param name of the field, for what is said
 * @throws Error where it is not there, or no text or number
 */
export function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new Error(
    value === undefined ? `${name} is missing` : `${name} is no text: ${JSON.stringify(value)}`,
  );
}

/** Text, or undefined where nothing is given. */
export function optional(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : text(value, name);
}
