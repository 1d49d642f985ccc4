import { type Config, green, join } from '../gateway-node.ts';
import type { Red, RedNode } from '../red.ts';
import type { GatewayEvent } from '../views.ts';

interface AlertsConfig extends Config {
  /** 'alarms' or another name of {@link SETS}; 'own' takes `kinds` */
  about: string;
  /** kinds of events, comma-separated; 'rollout.*' is all of rollouts */
  kinds: string;
  /** a device, a cohort, the fleet; '' is everything */
  subject: string;
  /** also alarms that somebody has silenced */
  silenced: boolean;
}

/** Kinds of events that belong together. */
const SETS: Record<string, string> = {
  alarms: 'alarm.raised, alarm.explained, alarm.group, alarm.ended',
  rollouts: 'rollout.*',
  training: 'train.*, gate.*, model.registered',
  labels: 'label.*',
  devices: 'device.*, update.refused, sample.quarantined',
  everything: '*',
};

/** Sends what happens at the gateway, each event once. */
export default function whetstoneAlerts(RED: Red): void {
  RED.nodes.registerType('whetstone-alerts', function (this: RedNode, config: AlertsConfig) {
    RED.nodes.createNode(this, config);
    const kinds = (SETS[config.about] ?? config.kinds ?? '').split(',').map((kind) => kind.trim());
    const matches = (kind: string): boolean =>
      kinds.some((one) => one === kind || (one.endsWith('*') && kind.startsWith(one.slice(0, -1))));
    const isSilenced = ({ data }: GatewayEvent): boolean =>
      data.silenced === true || typeof data.silencedUntil === 'number';
    const member = join(RED, this, config, {
      event: (event) => {
        const { kind, subject } = event;
        if (!matches(kind) || (config.subject && subject !== config.subject)) return;
        if (config.silenced !== true && isSilenced(event)) return;
        this.send({ topic: kind, payload: sentenceOf(event), event });
        member.say(green(`${kind} ${subject}`));
      },
    });
  });
}

/** An event in a few words: what the gateway says of it, else why it happened. */
function sentenceOf({ kind, subject, data }: GatewayEvent): string {
  const devices = Array.isArray(data.devices) ? data.devices.join(', ') : '';
  const details = [data.message, data.reason, devices].find(
    (text): text is string => typeof text === 'string' && text !== '',
  );
  const stage = typeof data.stage === 'string' ? ` ${data.stage}` : '';
  const what = kind === 'alarm.ended' ? 'alarm over' : kind.replace('.', ' ');
  const head = kind === 'alarm.raised' || kind === 'alarm.group' ? 'ALARM' : what;
  return `${head} ${subject}${stage}${details === undefined ? '' : `: ${details}`}`;
}
