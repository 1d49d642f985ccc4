import type { Command } from 'commander';
import { shortVersion } from '../ui/words.ts';
import type { RolloutSummary } from '../views/rollout.ts';
import type { Status, StoreView, TrainingView } from '../views/status.ts';
import { type Io, moment, say } from './io.ts';
import { type RemoteOptions, speaksToGateway, tell } from './remote.ts';

/** `whetstone status`: a running gateway at a glance, and what it waits for. */
export function status(program: Command, io: Io): void {
  speaksToGateway(program.command('status'))
    .description('a running gateway at a glance: devices, alarms, rollouts, training, store')
    .addHelpText('after', '\nExample:\n  $ npx whetstone status')
    .action((options: RemoteOptions) =>
      tell(
        io,
        options,
        (calls) => calls.status(),
        (answer) => say(io, about(answer)),
      ),
    );
}

function about({ sentence, task, startedAt, devices, rollouts, training, store }: Status): string {
  const here = devices.filter(({ connected }) => connected).length;
  const alarms = devices.filter(({ alarm }) => alarm !== null);
  return [
    `gateway   ${sentence}; task ${task}, since ${moment(startedAt)}`,
    `devices   ${devices.length}, ${here} connected`,
    `alarms    ${alarms.length === 0 ? 'none' : alarms.length}`,
    ...alarms.map(({ id, alarm }) => `  ${id}: ${alarm!.message}, since ${moment(alarm!.since)}`),
    ...rolloutLines(rollouts.filter(({ endedAt }) => endedAt === null)),
    `training  ${trainingText(training)}`,
    `store     ${storeText(store)}`,
  ].join('\n');
}

function rolloutLines(going: readonly RolloutSummary[]): string[] {
  if (going.length === 0) return ['rollouts  none on its way'];
  const lines = going.map(({ id, version, scope, stage, total, reason }) => {
    const so = `${total.done} of ${total.devices} devices done`;
    return `  ${id.slice(0, 8)} of ${shortVersion(version)} for ${scope}: ${stage}, ${so}${reason === null ? '' : `: ${reason}`}`;
  });
  return [`rollouts  ${going.length} on the way`, ...lines];
}

function trainingText({ running, queue, waiting }: TrainingView): string {
  const now =
    running === null ? 'nothing runs' : `${running.scope} runs (${running.why.join(', ')})`;
  const next = queue.length === 0 ? '' : `; next ${queue.map(({ scope }) => scope).join(', ')}`;
  return `${now}${next}${waiting === null ? '' : `; ${waiting.scope} ${waiting.sentence}`}`;
}

function storeText({ bytes, keyId, fullSince }: StoreView): string {
  const full = fullSince === null ? '' : `; THE DISK TAKES NOTHING since ${moment(fullSince)}`;
  const sealed = keyId === null ? 'not encrypted' : 'encrypted';
  return `${(bytes / 1e6).toFixed(1)} MB, ${sealed}${full}`;
}
