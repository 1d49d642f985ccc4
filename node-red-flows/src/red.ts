/** What the nodes use of Node-RED's runtime; its packages bring no types. */
export interface Red {
  nodes: {
    // biome-ignore lint/suspicious/noExplicitAny: each node has a configuration of its own
    registerType(type: string, make: (this: any, config: any) => void, options?: object): void;
    createNode(node: RedNode, config: object): void;
    getNode(id: string): RedNode | null;
  };
  util: {
    evaluateNodeProperty(
      value: string,
      type: string,
      node: RedNode,
      message: Message,
      done: (error: Error | null, value?: unknown) => void,
    ): unknown;
  };
  httpAdmin: {
    post(path: string, ...handlers: ((request: never, response: never) => void)[]): void;
  };
  auth: { needsPermission(permission: string): (request: never, response: never) => void };
  _(key: string, values?: object): string;
}

/** A message of a flow. */
export interface Message {
  topic?: unknown;
  payload?: unknown;
  [key: string]: unknown;
}

/** What leaves a node: a message, or one for each output. */
export type Sent = Message | (Message | null)[] | null;

export interface RedNode {
  id: string;
  type: string;
  /** the flow that it is in */
  z: string;
  name?: string;
  credentials?: Record<string, string | undefined>;
  on(
    event: 'input',
    listener: (message: Message, send: (sent: Sent) => void, done: (error?: Error) => void) => void,
  ): void;
  on(event: 'close', listener: (removed: boolean, done: () => void) => void): void;
  send(sent: Sent): void;
  status(status: Status | Record<string, never>): void;
  error(error: Error | string, message?: Message): void;
  warn(text: string): void;
  context(): Context;
}

export interface Status {
  fill: 'green' | 'yellow' | 'red' | 'blue' | 'grey';
  shape: 'dot' | 'ring';
  text: string;
}

/** A node's memory; it outlives a deployment, and a restart where Node-RED keeps it in files. */
export interface Context {
  get(key: string, done: (error: Error | undefined, value: unknown) => void): void;
  set(key: string, value: unknown, done: (error?: Error) => void): void;
}

/** A field that may be text, a part of the message, or of a context. */
export interface Typed {
  value: string;
  type: string;
}
