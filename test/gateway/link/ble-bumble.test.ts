import { spawn } from 'node:child_process';
import { withBindings } from '@stoprocent/noble';
import { describe, onTestFinished } from 'vitest';
import { blePort } from '../../../gateway/link/ble.ts';
import { bleRadio } from '../../../gateway/link/ble-radio.ts';
import { ptyPair } from '../../../gateway/link/virtual/pty.ts';
import { hasBle, skippedBle } from '../../support/ble.ts';
import { portContract } from './port-contract.ts';

/** A Python that has Bumble: another's controller, air and GATT server, as a judge of ours. */
const python = process.env.WHETSTONE_BUMBLE;
const skipped = python ? skippedBle : ' (skipped: WHETSTONE_BUMBLE is not set)';
const script = new URL('../../support/bumble-uart.py', import.meta.url).pathname;

describe(`blePort() to a peripheral of Bumble's${skipped}`, () => {
  portContract(async () => {
    const pair = await ptyPair();
    const uart = spawn(python as string, [script, pair.b, 'C0:FF:EE:00:00:09', 'bumble'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    onTestFinished(() => void uart.kill('SIGKILL'));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      uart.stderr.on('data', (text) => {
        said += text;
        if (said.includes('ready')) resolve();
      });
      uart.once('exit', () => reject(new Error(said)));
    });
    const radio = bleRadio(async () =>
      withBindings('hci', {
        hciDriver: 'uart',
        bindParams: { uart: { port: pair.a, baudRate: 1_000_000 } },
      }),
    );
    const port = blePort(radio, 'bumble');
    return {
      port,
      say: (bytes) => void uart.stdin.write(bytes),
      hear: (receiver) => void uart.stdout.on('data', receiver),
      lose: () => void uart.kill('SIGUSR1'),
      restore: () => void uart.kill('SIGUSR2'),
      end: async () => {
        await port.close();
        radio.close();
        uart.kill('SIGKILL');
        await pair.close();
      },
    };
  }, !hasBle || !python);
});
