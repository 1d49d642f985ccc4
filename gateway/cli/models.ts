import type { Command } from 'commander';
import type { ModelView } from '../calls.ts';
import { GatewayError } from '../errors.ts';
import { gateLines } from '../ui/gate-words.ts';
import { shortVersion, standing } from '../ui/words.ts';
import { type Io, moment, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

/** `whetstone models`: the registry, or one version with its gate report. */
export function models(program: Command, io: Io): void {
  speaksToGateway(program.command('models'))
    .description('list the model versions of a running gateway, or show one')
    .argument('[version]', 'one version, or its first digits')
    .addHelpText('after', '\nExample:\n  $ npx whetstone models\n  $ npx whetstone models 3f2a9c41')
    .action(async (version: string | undefined, options: RemoteOptions) => {
      if (version !== undefined) {
        return tell(
          io,
          options,
          async (calls) => calls.model(bare(version)),
          (model) => say(io, about(model)),
        );
      }
      return tell(
        io,
        options,
        async (calls) => ({ models: await calls.models() }),
        (answer) => say(io, list(answer.models)),
      );
    });
}

/**
 * A version without the v that people see before it.
 *
 * @throws GatewayError 'not-found' if it cannot be one
 * @example bare('v3f2a') // '3f2a'
 */
export function bare(version: string): string {
  const [, digits] = /^v?([0-9a-f]{4,64})$/.exec(version) ?? [];
  if (digits !== undefined) return digits;
  const message = `'${version}' is no version: 4 to 64 hexadecimal digits`;
  throw new GatewayError('not-found', message, { hint: 'see: whetstone models' });
}

function list(models: ModelView[]): string {
  if (models.length === 0) return 'no model yet';
  return table(
    ['model', 'for', 'stage', 'release', 'rung', 'bytes', 'made'],
    models.map((model) => [
      shortVersion(model.version),
      model.scope,
      standing(model),
      String(model.release),
      model.rung ?? '-',
      String(model.parts.reduce((sum, part) => sum + part.bytes, 0)),
      moment(model.createdAt),
    ]),
  );
}

function about(model: ModelView): string {
  return [
    `model   ${model.version}`,
    `parent  ${model.parent ?? '-'}`,
    `for     ${model.scope}`,
    `stage   ${standing(model)} (release ${model.release})`,
    `rung    ${model.rung ?? '-'}`,
    `made    ${moment(model.createdAt)}`,
    ...model.parts.map((part) => `part    ${part.part}, ${part.bytes} bytes, ${part.id}`),
    'gate',
    ...gateLines(model.gate).map((line) => `  ${line}`),
  ].join('\n');
}
