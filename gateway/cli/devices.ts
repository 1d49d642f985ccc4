import type { Command } from 'commander';
import type { DeviceView } from '../calls.ts';
import { shortVersion } from '../ui/words.ts';
import type { WearView } from '../views/device.ts';
import { type Io, moment, say, share, table } from './io.ts';
import { estimatedText, measuredText } from './quality.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

/** `whetstone devices`: the list, or one device. */
export function devices(program: Command, io: Io): void {
  speaksToGateway(program.command('devices'))
    .description('list the devices of a running gateway, or show one')
    .argument('[id]', 'one device')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx whetstone devices\n  $ npx whetstone devices watch-1',
    )
    .action(async (id: string | undefined, options: RemoteOptions) => {
      if (id !== undefined) {
        return tell(
          io,
          options,
          (calls) => calls.device(id),
          (device) => say(io, about(device)),
        );
      }
      return tell(
        io,
        options,
        async (calls) => ({ devices: await calls.devices() }),
        (answer) => say(io, list(answer.devices)),
      );
    });
}

function list(devices: DeviceView[]): string {
  if (devices.length === 0) return 'no device has said hello yet';
  return table(
    ['device', 'model', 'for', 'state', 'link', 'accuracy', 'windows', 'dropped', 'refused', ''],
    devices.map((device) => [
      device.id,
      device.version === null ? '-' : shortVersion(device.version),
      device.scope ?? '-',
      device.connected ? device.state : 'not connected',
      linkOf(device),
      share(device.accuracy),
      String(device.samples),
      String(device.dropped),
      String(Object.values(device.link.refused).reduce((sum, count) => sum + count, 0)),
      [alarmOf(device), device.wear?.worn ? `FLASH WORN: ${wearText(device.wear)}` : '']
        .filter(Boolean)
        .join('; '),
    ]),
  );
}

function linkOf({ link }: DeviceView): string {
  return `${link.suite ?? '-'}${link.weak ? ' WEAK' : ''}`;
}

function linkText(device: DeviceView): string {
  const { generation, badFrames, replays, refused } = device.link;
  const counts = Object.entries(refused).map(([what, count]) => `${what} ${count}`);
  return [
    linkOf(device),
    ...(generation === null ? [] : [`keys ${generation}`]),
    `bad frames ${badFrames}, replays ${replays}`,
    ...counts,
  ].join(', ');
}

function alarmOf({ alarm }: DeviceView): string {
  if (alarm === null) return '';
  return `${alarm.silencedUntil === null ? 'ALARM' : 'silenced:'} ${alarm.message}`;
}

/**
 * How far a flash is worn, for people.
 *
 * @example wearText({ boots: 90, updates: 8, erases: 8000, cycles: 10000, share: 0.8, worn: true }) // 'at most 8000 of 10000 erases, 80 % (90 boots, 8 updates)'
 */
export function wearText({ boots, updates, erases, cycles, share: part }: WearView): string {
  const of = cycles === null ? '' : ` of ${cycles}`;
  const percent = part === null ? '' : `, ${Math.round(100 * part)} %`;
  return `at most ${erases}${of} erases${percent} (${boots} boots, ${updates} updates)`;
}

function about(device: DeviceView): string {
  return [
    `device    ${device.id}${device.synthetic ? ' (virtual, synthetic motion)' : ''}`,
    `board     ${device.board}`,
    `wearer    ${device.wearer ?? '-'}`,
    `state     ${device.connected ? device.state : 'not connected'}`,
    `last seen ${moment(device.lastSeen)}`,
    `link      ${linkText(device)}`,
    `model     ${device.version ?? '-'} (release ${device.release}, for ${device.scope ?? '-'})`,
    `accuracy  ${share(device.accuracy)}`,
    `measured  ${measuredText(device.measured)}`,
    `estimated ${estimatedText(device.estimated)}`,
    `windows   ${device.samples}, dropped ${device.dropped}`,
    `flash     ${device.wear === null ? '-' : wearText(device.wear)}`,
    `alarm     ${device.alarm === null ? 'none' : `${device.alarm.message}, since ${moment(device.alarm.since)}`}`,
  ].join('\n');
}
