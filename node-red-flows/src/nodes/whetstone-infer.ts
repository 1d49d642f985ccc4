import { type Config, green, join, text } from '../gateway-node.ts';
import type { Red, RedNode } from '../red.ts';

interface InferConfig extends Config {
  /** whose champion answers, or which version */
  by: 'scope' | 'device' | 'version';
  whose: string;
  whoseType: string;
  /** what the numbers are */
  kind: 'window' | 'features' | 'embedding';
  input: string;
  inputType: string;
}

interface Inferred {
  version: string;
  predicted: string | number | null;
  score: number;
  confidence: number | null;
  logits: number[];
}

/** Lets the champion answer, with the device's arithmetic. */
export default function whetstoneInfer(RED: Red): void {
  RED.nodes.registerType('whetstone-infer', function (this: RedNode, config: InferConfig) {
    RED.nodes.createNode(this, config);
    const { by, whose, whoseType, kind, input, inputType } = config;
    const member = join(RED, this, config);
    member.onInput(async (message) => {
      const name = text(
        await member.value({ value: whose, type: whoseType }, message),
        `the ${by}`,
      );
      const given = await member.value({ value: input, type: inputType }, message);
      const values = numbers(given, kind);
      const { client } = member.link();
      const body = { [by]: name, [kind]: values };
      const result = await client.query<Inferred>('/infer', body, member.signal);
      const { predicted, version } = result;
      const send = { ...message, payload: predicted, inferred: result };
      return { send, say: green(`${predicted ?? '?'} (${version.slice(0, 8)})`) };
    }, 'inferring');
  });
}

/** @throws Error where the gateway could not but refuse it */
function numbers(value: unknown, kind: InferConfig['kind']): unknown[] {
  const isList = (one: unknown): one is unknown[] => Array.isArray(one) && one.length > 0;
  const isNumbers = (one: unknown): boolean => isList(one) && one.every(Number.isFinite);
  if (kind === 'window' && isList(value) && value.every(isNumbers)) return value;
  if (kind !== 'window' && isList(value) && isNumbers(value)) return value;
  const form =
    kind === 'window' ? 'an array of samples, each an array of axes' : 'an array of numbers';
  throw new Error(`the ${kind} is not ${form}`);
}
