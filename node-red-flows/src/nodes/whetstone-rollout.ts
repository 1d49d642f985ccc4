import { type Config, type Done, green, join, optional, text, yellow } from '../gateway-node.ts';
import type { Message, Red, RedNode, Sent } from '../red.ts';
import type { GatewayEvent, RolloutView } from '../views.ts';

interface RolloutConfig extends Config {
  action: 'gate' | 'approve' | 'stop' | 'promote' | 'rollback' | 'msg';
  /** a rollout's id, or a version */
  target: string;
  targetType: string;
  reason: string;
  reasonType: string;
}

const WAITS = 'awaiting-approval';
const YES = ['yes', 'true', 'approve', 'ok', '1'];
const NO = ['no', 'false', 'stop', '0'];

/** Acts on rollouts; or stands at the gate, where a rollout waits for a person's yes. */
export default function whetstoneRollout(RED: Red): void {
  RED.nodes.registerType('whetstone-rollout', function (this: RedNode, config: RolloutConfig) {
    RED.nodes.createNode(this, config);
    const isGate = config.action === 'gate';
    /** rollouts that wait, the oldest first */
    const waiting = new Map<string, RolloutView>();

    const member = join(RED, this, config, {
      ...(isGate && {
        event: (event) => hear(event),
        // what began to wait before anybody listened
        state: (state) => void (state.phase === 'connected' && look()),
      }),
    });
    const send = (sent: Sent): void => this.send(sent);
    const fail = (error: Error): void => this.error(error, { topic: 'whetstone-rollout' });
    const target = (message: Message): Promise<unknown> =>
      member.value({ value: config.target ?? '', type: config.targetType ?? 'str' }, message);
    const reason = async (message: Message): Promise<object> => {
      const field = { value: config.reason ?? '', type: config.reasonType ?? 'str' };
      const given = optional(await member.value(field, message), 'the reason');
      return given === undefined ? {} : { reason: given };
    };
    const post = (path: string, body: object = {}): Promise<RolloutView> =>
      member.link().client.post<RolloutView>(path, body, member.signal);
    const at = (path: string, id: string): string => path.replace('ID', encodeURIComponent(id));

    const actions: Record<string, (message: Message) => Promise<Done>> = {
      async approve(message) {
        const id = text(await target(message), 'the rollout');
        return done(message, await post(at('/rollouts/ID/approve', id)), 'approved');
      },
      async stop(message) {
        const id = text(await target(message), 'the rollout');
        const body = await reason(message);
        return done(message, await post(at('/rollouts/ID/stop', id), body), 'stopped');
      },
      async promote(message) {
        const version = text(await target(message), 'the version');
        return done(message, await post(at('/models/ID/promote', version)), 'promoted');
      },
      async rollback(message) {
        const version = optional(await target(message), 'the version');
        const body = version === undefined ? {} : { version };
        return done(message, await post('/rollback', body), 'rolling back');
      },
    };

    member.onInput(async (message) => {
      if (isGate) return answer(message);
      const name = config.action === 'msg' ? String(message.action) : config.action;
      const act = actions[name];
      if (act !== undefined) return act(message);
      throw new Error(`msg.action is '${name}': say approve, stop, promote or rollback`);
    }, 'asking');

    function done(message: Message, rollout: RolloutView, what: string): Done {
      const send = { ...message, payload: rollout };
      return { send, say: green(`${what}: ${rollout.version.slice(0, 8)} for ${rollout.scope}`) };
    }

    // ── the gate ──────────────────────────────────────────────────────────────────────────────

    function hear({ kind, subject, data }: GatewayEvent): void {
      if (!kind.startsWith('rollout.') || kind === 'rollout.device') return;
      if (data.stage === WAITS) void look();
      else if (waiting.delete(subject)) show();
    }

    async function look(): Promise<void> {
      try {
        const rollouts = await member
          .link()
          .client.get<RolloutView[]>('/rollouts', {}, member.signal);
        const now = rollouts.filter(({ stage }) => stage === WAITS);
        for (const id of [...waiting.keys()]) {
          if (!now.some((rollout) => rollout.id === id)) waiting.delete(id);
        }
        for (const rollout of now) {
          if (waiting.has(rollout.id)) continue;
          waiting.set(rollout.id, rollout);
          await ask(rollout);
        }
        show();
      } catch (error) {
        if (!member.signal.aborted) fail(error as Error);
      }
    }

    async function ask(rollout: RolloutView): Promise<void> {
      const { id, version, scope, devices } = rollout;
      const model = await member.link().client.get(at('/models/ID', version), {}, member.signal);
      const others = named(devices.filter(({ state }) => state === 'waiting'));
      const tried = named(devices.filter(({ state }) => !['waiting', 'refused'].includes(state)));
      const payload =
        `Model ${version.slice(0, 8)} for ${scope} passed on ${tried || 'its canary'}. ` +
        (others === '' ? 'Shall it stay?' : `Shall ${others} get it, too?`);
      send([{ topic: 'approve', payload, rollout: id, view: rollout, model }, null]);
    }

    async function answer(message: Message): Promise<Done> {
      const given = String(message.payload).trim().toLowerCase();
      if (!YES.includes(given) && !NO.includes(given)) {
        throw new Error(
          `'${given}' is neither yes nor no: msg.payload is true or false, yes or no`,
        );
      }
      const id = message.rollout === undefined ? only() : text(message.rollout, 'msg.rollout');
      const isYes = YES.includes(given);
      const result = isYes
        ? await post(at('/rollouts/ID/approve', id))
        : await post(at('/rollouts/ID/stop', id), await reason(message));
      waiting.delete(id);
      const { send, say } = done(message, result, isYes ? 'approved' : 'stopped');
      return { send: [null, send as Message], say };
    }

    /** @throws Error where not exactly one waits */
    function only(): string {
      const [first, ...others] = [...waiting.keys()];
      if (first === undefined) throw new Error('no rollout waits for an answer');
      if (others.length === 0) return first;
      throw new Error(`${waiting.size} rollouts wait: say which one in msg.rollout`);
    }

    function show(): void {
      const [first] = waiting.values();
      if (first === undefined) member.say(green('connected'));
      else member.say(yellow(`${first.version.slice(0, 8)} waits for an answer`));
    }
  });
}

/** Devices that are named one by one. */
const NAMED = 5;

function named(devices: readonly { id: string }[]): string {
  const ids = devices.map(({ id }) => id);
  const more = ids.length - NAMED;
  return [...ids.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
