import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { FORMATS, type Format } from '../calls.ts';
import { unwritable } from '../named-file.ts';
import { type Io, say } from './io.ts';
import { bare } from './models.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

interface Options extends RemoteOptions {
  format: Format;
  out: string;
}

/** `whetstone export`: a registered version as a file. */
export function exportModel(program: Command, io: Io): void {
  speaksToGateway(program.command('export'))
    .description('write a model version of a running gateway to a file')
    .argument('<version>', 'the version, or its first digits')
    .addOption(
      new Option('--format <format>', 'tflite and onnx: int8 in and out; image: a slot of flash')
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption('--out <file>', 'where to write it')
    .addHelpText(
      'after',
      '\nThe input of tflite and onnx is what the normalisation gives, not the window itself.\n' +
        '\nExample:\n  $ npx whetstone export 3f2a9c41 --format tflite --out model.tflite',
    )
    .action((version: string, options: Options) =>
      tell(
        io,
        options,
        async (calls) => {
          const { file, ...rest } = await calls.exportModel(bare(version), options.format);
          const bytes = Buffer.from(file, 'base64');
          try {
            writeFileSync(options.out, bytes);
          } catch (cause) {
            throw unwritable(options.out, cause, { hint: 'choose another place with --out' });
          }
          return { ...rest, out: options.out, bytes: bytes.length };
        },
        (done) => say(io, `${done.out}: ${done.bytes} bytes, ${done.format}`),
      ),
    );
}
