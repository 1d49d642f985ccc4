import { type Config, green, join, text, yellow } from '../gateway-node.ts';
import type { Red, RedNode } from '../red.ts';
import type { TrainView } from '../views.ts';

interface TrainConfig extends Config {
  scope: string;
  scopeType: string;
}

/** Retrains a scope's model; what passes the gate is rolled out. */
export default function whetstoneTrain(RED: Red): void {
  RED.nodes.registerType('whetstone-train', function (this: RedNode, config: TrainConfig) {
    RED.nodes.createNode(this, config);
    const member = join(RED, this, config);
    member.onInput(async (message) => {
      const { scope: value, scopeType: type } = config;
      const scope = text(await member.value({ value, type }, message), 'the scope');
      const { client } = member.link();
      const result = await client.post<TrainView>('/train', { scope }, member.signal);
      const sent = { ...message, payload: result };
      const version = result.version?.slice(0, 8);
      return result.released
        ? { send: [sent, null], say: green(`${scope}: ${version} sets out`) }
        : { send: [null, sent], say: yellow(`${scope}: nothing new`) };
    }, 'training');
  });
}
