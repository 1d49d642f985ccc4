import type { Command } from 'commander';
import type { InferRequest } from '../calls.ts';
import { readNamedJson } from '../named-file.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, say } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface InferOptions extends RemoteOptions {
  device?: string;
  scope?: string;
  model?: string;
}

/** `whetstone infer`: what a model says of a window, in the arithmetic of the devices. */
export function infer(program: Command, io: Io): void {
  speaksToGateway(program.command('infer'))
    .description('ask what a model says of a window, in the arithmetic of the devices')
    .argument('<file>', 'JSON: [[x, y, z], …], or an object with window, features or embedding')
    .option('--device <id>', 'by the model that serves this device')
    .option('--scope <scope>', 'by the champion of fleet, cohort:NAME or device:ID; default fleet')
    .option('--model <version>', 'by this version, or its first digits')
    .addHelpText(
      'after',
      "\nA window is samples × axes, in the sensor's unit, as GET /api/devices/ID/windows/WINDOW gives it." +
        '\n\nExample:\n  $ npx whetstone infer window.json --device watch-1',
    )
    .action((file: string, { device, scope, model, ...options }: InferOptions) =>
      tell(
        io,
        options,
        async (calls) =>
          calls.infer({
            ...readWindow(file),
            ...(device !== undefined && { device }),
            ...(scope !== undefined && { scope }),
            ...(model !== undefined && { version: bare(model) }),
          }),
        ({ version, predicted, confidence }) => {
          const sure = confidence === null ? '' : `, ${Math.round(100 * confidence)} % sure`;
          say(io, `${predicted}${sure} (${shortVersion(version)})`);
        },
      ),
    );
}

/** @throws GatewayError 'bad-file' */
function readWindow(file: string): InferRequest {
  const value = readNamedJson(file);
  if (Array.isArray(value)) return { window: value };
  const { window, features, embedding } = Object(value) as InferRequest;
  return {
    ...(window !== undefined && { window }),
    ...(features !== undefined && { features }),
    ...(embedding !== undefined && { embedding }),
  };
}
