import type { Command } from 'commander';
import type { ImportView } from '../calls.ts';
import { readModelFile } from '../named-file.ts';
import { loadTask } from '../task.ts';
import { shortVersion } from '../ui/words.ts';
import { type Io, say, table } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface Options extends RemoteOptions {
  task: string;
  dryRun?: boolean;
}

/** `whetstone import`: a .tflite file becomes a candidate, with a report of what it is. */
export function importModel(program: Command, io: Io): void {
  speaksToGateway(program.command('import'))
    .description('register an int8 .tflite model in a running gateway')
    .argument('<file>', 'the model, of full-integer quantisation')
    .requiredOption('--task <task>', 'what it is for: a name in hardware/tasks, or a file')
    .option('--dry-run', 'only report; register nothing')
    .addHelpText(
      'after',
      '\nIts last dense layer becomes the head that Whetstone retrains, the rest stays as it is.\n' +
        'It reaches devices with: whetstone promote VERSION\n' +
        '\nExample:\n  $ npx whetstone import model.tflite --task gesture --dry-run',
    )
    .action((file: string, options: Options) => {
      const request = {
        task: loadTask(options.task).name,
        file: readModelFile(file).toString('base64'),
        ...(options.dryRun && { look: true }),
      };
      return tell(
        io,
        options,
        async (calls) => calls.importModel(request),
        (view) => say(io, about(view)),
      );
    });
}

function about({ version, report }: ImportView): string {
  const { layers, macs, weights, ram, parts, boards, notes, exported } = report;
  const rows = layers.map((layer) => [
    layer.operator,
    layer.input.join(' × '),
    layer.output.join(' × '),
    layer.activation,
    String(layer.macs),
    String(layer.weights),
  ]);
  const bytes = parts.map(({ part, bytes }) => `${part} ${bytes}`).join(', ');
  const fits = boards.map(({ board, fits, why }) => [board, fits ? 'fits' : why.join('; ')]);
  return [
    table(['layer', 'reads', 'gives', 'activation', 'MACs', 'weights'], rows),
    `in all ${macs} MACs, ${weights} weights, ${ram} bytes of activations; parts: ${bytes} bytes`,
    ...notes.map((note) => `note: ${note}`),
    table(['board', ''], fits),
    version === null
      ? 'not registered: --dry-run'
      : `${exported ? 'as exported: ' : ''}${shortVersion(version)} is registered; next: ${next(version, boards)}`,
  ].join('\n');
}

/** A model that no bundle of its task holds yet would be refused by every device's self-test. */
function next(version: string, boards: ImportView['report']['boards']): string {
  const promote = `whetstone promote ${version.slice(0, 8)}`;
  if (boards.some(({ fits }) => fits)) return promote;
  return `no board runs it as it is: see above, build with --model FILE, then ${promote}`;
}
