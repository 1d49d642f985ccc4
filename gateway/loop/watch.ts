import type { Answers } from '../answers.ts';
import { unlessFull } from '../full-disk.ts';
import type { Alarm, Monitor, SeenLabel } from '../monitor/monitor.ts';
import type { MonitorMemory } from '../monitor-memory.ts';
import type { Regimes } from '../regimes.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import type { NewSample } from '../store/types.ts';
import type { Task } from '../task.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { RawWindows } from './raw-windows.ts';
import type { Shadowed } from './shadow.ts';
import type { Trials } from './trials.ts';

/** watch: whoever looks at a device gets to see what is stored of it. */
export interface Watch {
  /** A good window, with the label that it may bring. */
  window(sample: NewSample): void;
  /** A raw window says whether its sensor still measures, however late it comes, and if it is set aside. */
  sensor(device: string, seen: Pick<NewSample, 'window' | 'at'>): void;
  /** The labels of a device have changed. @param who whom the log names */
  labelled(device: string, who?: string): void;
  /** What a window really was: for those who count. */
  judged(device: string, seen: SeenLabel, sample: Shadowed): void;
}

/** Who watches, and who hears what they see. */
export interface WatchParts {
  task: Pick<Task, 'training'>;
  answers: Answers;
  monitor: Pick<Monitor, 'window' | 'raw' | 'label' | 'isSick'>;
  memory: Pick<MonitorMemory, 'window'>;
  rollouts: Pick<Rollouts, 'window'>;
  trials: Pick<Trials, 'judge'>;
  regimes: Pick<Regimes, 'labels'>;
  scheduler: Pick<Scheduler, 'consider'>;
  raw: Pick<RawWindows, 'ask'>;
  log: Pick<JournalWriter, 'write'>;
  onAlarm: (device: string, alarm: Alarm) => void;
}

/** While a sensor is sick, one in so many windows is asked for raw, to see whether it is well again. */
const PROBE = 4;

/** @param parts who watches, and who hears what they see */
export function createWatch(parts: WatchParts): Watch {
  const { task, answers, monitor, memory, rollouts, trials, regimes, scheduler } = parts;
  const { raw, log, onAlarm } = parts;

  function labelled(device: string, who?: string): void {
    const have = regimes.labels(device);
    const whose = who !== undefined && { who };
    log.write('label.added', device, { have, want: task.training.minLabels, ...whose });
  }

  function judged(device: string, seen: SeenLabel, sample: Shadowed): void {
    const alarm = monitor.label(device, seen);
    trials.judge(device, seen, sample);
    if (alarm !== undefined) onAlarm(device, alarm);
    scheduler.consider(device);
  }

  return {
    window(sample) {
      const { device, seq, release, cls, score, at, embedding, window, label } = sample;
      const seen = { release, cls, score, at, embedding, window, isChosen: label !== null };
      const alarm = monitor.window(device, seen);
      if (window === null && monitor.isSick(device) && seq % PROBE === 0) raw.ask(device, [seq]);
      memory.window(device);
      const worth = answers.worth({ cls, score });
      unlessFull(() => rollouts.window(device, { release, score: worth }));
      if (alarm !== undefined) onAlarm(device, alarm);
      if (label === null) return;
      labelled(device);
      judged(device, { release, said: cls, truth: label, score, at }, sample);
    },
    sensor(device, { window, at }) {
      const alarm = window === null ? undefined : monitor.raw(device, { window, at });
      if (alarm !== undefined) onAlarm(device, alarm);
    },
    labelled,
    judged,
  };
}
