/**
 * Every kind of event that the gateway records, with what it means. The one list: the store takes
 * no other, so a misspelt kind is a type error and not a line that nobody finds.
 */
export const eventKinds = {
  'device.seen': 'a device that the gateway had not met said hello',
  'device.restarted': 'a device opened a new session',
  'device.dropped': 'a device had to forget windows before they were acknowledged',
  'device.event': 'a device reported an event of its own',
  'device.selftest': 'a device tried the golden vectors of a new version',
  'device.wearer': 'a simulated watch changed its wearer',
  'device.refused': 'a device was turned away at hello',
  'sample.quarantined': 'the check set a window aside',
  'sample.released': 'a person released a quarantined window',
  'label.added': 'labels arrived',
  'label.withdrawn': 'labels of a window were taken back',
  'label.imported': 'labels came from a file or a program, many at once',
  'label.asked': 'the labels of windows were asked for',
  'label.gone': 'a device holds a raw window no more that was asked for',
  'label.untaught': 'a teacher model cannot be run',
  'accuracy.changed': 'the true accuracy of a simulated watch changed; only a simulation knows it',
  'alarm.raised': 'the monitor saw a device get worse',
  'alarm.ended': 'the episode of an alarm is over',
  'alarm.explained': 'raw windows showed that an alarm was a sick sensor',
  'alarm.group': 'alarms of several devices came together: one cause',
  'alarm.silenced': 'somebody does not want to be told of alarms for a while',
  'alarm.unsilenced': 'they may be told again',
  'train.waiting': 'training waits for a limit of the budget, or stopped for one',
  'train.started': 'training began',
  'train.finished': 'training ended with a candidate',
  'train.failed': 'training ended without one',
  'gate.passed': 'the gate let a candidate through',
  'gate.refused': 'the gate refused a candidate',
  'model.registered': 'a version entered the registry',
  'model.stage': 'a version changed its stage',
  'model.released': 'a version was given a release number',
  'rollout.started': 'a rollout began',
  'rollout.stage': 'a rollout went on to its next stage',
  'rollout.device': 'a device went on to another stage of a rollout',
  'rollout.done': 'every reachable device confirmed the version',
  'rollout.rolledback': 'a rollout was undone',
  'store.full': 'the disk was full for a while; nothing was acknowledged in that time',
  'store.readonly':
    'the disk could not be written for a while; nothing was acknowledged in that time',
  'store.retained': 'old windows that no one labelled were removed, by age or for room',
  'store.crowded':
    'the store is larger than it may be, and all that is left in it is labelled or new',
  'store.encrypted': 'the store was encrypted, or encrypted with another key',
  'store.restored': 'the store came from a backup',
  'store.erased': 'data was erased on request',
  'gateway.started': 'the gateway started',
  'gateway.stopped': 'the gateway stopped',
} as const;

/** A kind of event: a key of {@link eventKinds}. */
export type EventKind = keyof typeof eventKinds;
