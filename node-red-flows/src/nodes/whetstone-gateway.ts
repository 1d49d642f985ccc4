import { readFileSync } from 'node:fs';
import { createClient, type Target } from '../client.ts';
import type { GatewayNode } from '../gateway-node.ts';
import { createLink } from '../link.ts';
import type { Red } from '../red.ts';
import type { Me } from '../views.ts';

interface Config {
  url: string;
  caFile: string;
}

/** What the editor asks to be tried: as it stands in the form, deployed or not. */
interface Trial extends Config {
  id: string;
  /** undefined: the one that is stored */
  token?: string;
}

const CURSOR = 'lastEvent';
/** What the editor shows instead of a stored password. */
const UNCHANGED = '__PWRD__';

/** The gateway that other nodes speak to. */
export default function whetstoneGateway(RED: Red): void {
  RED.nodes.registerType(
    'whetstone-gateway',
    function (this: GatewayNode, config: Config) {
      RED.nodes.createNode(this, config);
      this.members = new Set();
      Object.defineProperty(this, 'users', {
        get: () => Object.fromEntries([...this.members].map((node) => [node.z, node])),
      });
      let told = '';
      const { url } = config;
      const context = this.context();
      const cursor = {
        load: () =>
          new Promise<number | undefined>((resolve) =>
            context.get(CURSOR, (_error, value) => {
              const kept = value as { url: string; id: number } | undefined;
              resolve(kept?.url === url ? kept.id : undefined);
            }),
          ),
        save: (id: number) => context.set(CURSOR, { url, id }, () => {}),
      };
      try {
        const target = targetOf(config, this.credentials?.token);
        this.link = createLink(target, cursor, (state) => {
          if (state.phase === 'connected') told = '';
          if (state.phase !== 'waiting' || state.error.message === told) return;
          told = state.error.message;
          // a message with it, so that Catch nodes of the flows that use the gateway hear of it
          this.error(state.error, { topic: 'whetstone-gateway', payload: told });
        });
      } catch (error) {
        this.error(error as Error);
      }
      this.on('close', (_removed, done) => {
        this.link?.close();
        done();
      });
    },
    { credentials: { token: { type: 'password' } } },
  );

  RED.httpAdmin.post(
    '/whetstone/test',
    RED.auth.needsPermission('flows.write'),
    (request: { body: Trial }, response: { json(value: object): void }) => {
      const { id, token } = request.body;
      const stored = RED.nodes.getNode(id)?.credentials?.token;
      const used = token === undefined || token === UNCHANGED ? stored : token;
      tryGateway(request.body, used).then(
        (found) => response.json({ ok: true, ...found }),
        (error: Error) => response.json({ ok: false, text: error.message }),
      );
    },
  );
}

/** Asks a gateway who it takes one for, and what it has. */
async function tryGateway(trial: Trial, token: string | undefined): Promise<object> {
  const client = createClient(targetOf(trial, token));
  try {
    const { name, role } = await client.get<Me>('/me');
    const { task, devices } = await client.get<{ task: string; devices: object[] }>('/status');
    return { name, role, task, count: devices.length };
  } finally {
    client.close();
  }
}

function targetOf({ url, caFile }: Config, token: string | undefined): Target {
  return {
    url,
    ...(caFile ? { ca: readFileSync(caFile, 'utf8') } : {}),
    ...(token ? { token } : {}),
  };
}
