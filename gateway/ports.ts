import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import type { Connection } from './link/connect.ts';
import type { Port } from './link/port.ts';
import type { NewPort, PortCalls } from './port-calls.ts';
import type { PortView } from './views/port.ts';

/** The ports of a gateway: those that it was started with, and those that were added since. */
export interface Ports {
  readonly calls: PortCalls;
  /** Opens them all; one that is not there is waited for. */
  open(): Promise<void>;
}

/** Under which the added ones are kept in the store. */
const STATE = 'ports';

interface Heard extends NewPort {
  from: PortView['from'];
  connection: Connection;
}

/**
 * Keeps the ports of a running gateway.
 *
 * @param gateway composed
 * @param named at the start
 * @param make a port, closed
 */
export function createPorts(
  { store, loop, clock }: Composed,
  named: readonly NewPort[],
  make: (port: NewPort) => Port,
): Ports {
  const heard: Heard[] = [];
  const same = (a: NewPort) => (b: NewPort) => a.kind === b.kind && a.name === b.name;
  const added = (): NewPort[] => store.states.load<NewPort[]>(STATE) ?? [];

  function toView({ kind, name, from, connection }: Heard): PortView {
    const devices = [...loop.online].filter(([, here]) => here === connection);
    return { kind, name, from, devices: devices.map(([id]) => id) };
  }

  async function hear(port: NewPort, from: PortView['from']): Promise<Heard> {
    const { kind, name } = port;
    const one: Heard = { kind, name, from, connection: await loop.attach(make(port), clock, true) };
    heard.push(one);
    return one;
  }

  function keep(kind: 'port.added' | 'port.removed', port: NewPort, all: NewPort[], by?: string) {
    store.transaction(() => {
      store.states.saveNow(STATE, all);
      const data = { kind: port.kind, ...(by !== undefined && { who: by }) };
      store.journal.write(kind, port.name, data, clock.now());
    });
  }

  return {
    async open() {
      for (const port of named) await hear(port, 'start');
      for (const port of added()) if (!heard.some(same(port))) await hear(port, 'added');
    },
    calls: {
      ports: async () => heard.map(toView),
      async addPort({ kind, name }, by) {
        const port = { kind, name };
        if (heard.some(same(port))) {
          throw new GatewayError('not-allowed', `${name} is heard already`, {
            hint: 'see: whetstone ports',
          });
        }
        keep('port.added', port, [...added().filter((one) => !same(port)(one)), port], by);
        return toView(await hear(port, 'added'));
      },
      async removePort(port, by) {
        const at = heard.findIndex(same(port));
        if (at < 0) {
          throw new GatewayError('not-found', `the gateway hears no port ${port.name}`, {
            hint: 'see: whetstone ports',
          });
        }
        const [one] = heard.splice(at, 1);
        keep(
          'port.removed',
          port,
          added().filter((other) => !same(port)(other)),
          by,
        );
        await loop.detach(one!.connection);
        return { ...toView(one!), devices: [] };
      },
    },
  };
}

/** The calls of a gateway that was given no ports and takes none: one that is tried out, in a test. */
export const noPorts: PortCalls = {
  ports: async () => [],
  addPort: async ({ name }) => {
    throw new GatewayError('not-allowed', `this gateway takes no port, not ${name} either`);
  },
  removePort: async ({ name }) => {
    throw new GatewayError('not-found', `the gateway hears no port ${name}`);
  },
};
