import { type Config, type Done, green, join, optional, text, yellow } from '../gateway-node.ts';
import { labelRows } from '../label-rows.ts';
import type { Message, Red, RedNode } from '../red.ts';

interface LabelConfig extends Config {
  action: 'add' | 'import' | 'ask' | 'withdraw' | 'release';
  sample: string;
  sampleType: string;
  cls: string;
  clsType: string;
  rows: string;
  rowsType: string;
  source: string;
  sourceType: string;
  count: string;
  countType: string;
  scope: string;
  scopeType: string;
}

interface Label {
  sample: string;
  cls: string | null;
}

interface Imported {
  added: number;
  known: number;
  refused: { line: number; reason: string }[];
}

/** Tells the gateway what windows really were, or asks it which ones to look at. */
export default function whetstoneLabel(RED: Red): void {
  RED.nodes.registerType('whetstone-label', function (this: RedNode, config: LabelConfig) {
    RED.nodes.createNode(this, config);
    const member = join(RED, this, config);
    type Field = 'sample' | 'cls' | 'rows' | 'source' | 'count' | 'scope';
    const value = (name: Field, message: Message): Promise<unknown> =>
      member.value({ value: config[name] ?? '', type: config[`${name}Type`] ?? 'str' }, message);
    const post = <T>(path: string, body: object): Promise<T> =>
      member.link().client.post<T>(path, body, member.signal);

    const actions: Record<LabelConfig['action'], (message: Message) => Promise<Done>> = {
      async add(message) {
        const sample = text(await value('sample', message), 'the window (DEVICE/SESSION:SEQ)');
        const cls = text(await value('cls', message), 'the class');
        const source = optional(await value('source', message), 'the source');
        const label = await post<Label>('/labels', { sample, cls, ...(source && { source }) });
        return { send: { ...message, payload: label }, say: green(`${sample}: ${cls}`) };
      },
      async withdraw(message) {
        const sample = text(await value('sample', message), 'the window (DEVICE/SESSION:SEQ)');
        const source = optional(await value('source', message), 'the source');
        const label = await post<Label>('/labels/withdraw', { sample, ...(source && { source }) });
        return { send: { ...message, payload: label }, say: green(`withdrawn: ${sample}`) };
      },
      async release(message) {
        const sample = text(await value('sample', message), 'the window (DEVICE/SESSION:SEQ)');
        const label = await post<Label>('/labels/release', { sample });
        return { send: { ...message, payload: label }, say: green(`released: ${sample}`) };
      },
      async import(message) {
        const { rows, refused } = labelRows(await value('rows', message));
        const source = optional(await value('source', message), 'the source');
        const body = { rows, ...(source && { source }) };
        const done = await post<Imported>('/labels/import', body);
        const payload = { ...done, refused: [...refused, ...done.refused] };
        const said = `${done.added} added, ${done.known} known`;
        const bad = payload.refused.length;
        return {
          send: { ...message, payload },
          say: bad > 0 ? yellow(`${said}, ${bad} refused`) : green(said),
        };
      },
      async ask(message) {
        const count = Number(await value('count', message));
        if (!Number.isSafeInteger(count) || count < 1) {
          throw new Error('how many windows to ask for must be a whole number from 1');
        }
        const scope = optional(await value('scope', message), 'the scope');
        const body = { count, ...(scope && { scope }) };
        const { asked } = await post<{ asked: object[] }>('/labels/ask', body);
        return {
          send: { ...message, payload: asked },
          say: green(`asked for ${asked.length} windows`),
        };
      },
    };
    member.onInput(actions[config.action] ?? actions.add, 'asking');
  });
}
