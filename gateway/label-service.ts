import { answersOf } from './answers.ts';
import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import type { LabelCalls } from './label-calls.ts';
import { devicesOf, noDevice } from './scopes.ts';
import { sampleText } from './store/sample-name.ts';
import type { Sample, SampleKey } from './store/types.ts';
import { trustOf } from './trust.ts';
import type { LabelView } from './views/label.ts';

/** How far a window may be from the time that a row names, unless the row's sender says otherwise. */
const WITHIN_MS = 2000;
/** Rows that are listed unless more are wanted, and windows that a teacher sees. */
const LISTED = 100;
const TAUGHT = 1000;

/**
 * Answers what people and programs ask about labels.
 *
 * @param gateway composed
 */
export function labelService({ store, registry, loop, task, clock }: Composed): LabelCalls {
  const answers = answersOf(task);
  const trusted = (source: string): number | null => {
    try {
      return trustOf(task, source);
    } catch (error) {
      if (error instanceof GatewayError) return null; // the task changed since its labels came
      throw error;
    }
  };

  function toLabel(sample: Sample): LabelView {
    const { id, device, label, at, quarantine, releasedAt } = sample;
    const asked = store.asked.get(id);
    const said = label?.contradicted ? store.labels.of(id) : [];
    return {
      ...{
        sample: sampleText(sample),
        device,
        predicted: answers.say(answers.of(sample)),
      },
      cls: label === null ? null : answers.say(label.cls),
      ...{ source: label?.source ?? null, trust: label?.trust ?? null, at: label?.at ?? at },
      contradicted: said.map(({ cls, source, trust, at, standing }) => ({
        ...{ cls: answers.say(cls) ?? String(cls), source, trust, at, standing },
      })),
      asked: asked === undefined ? null : { at: asked.at, raw: loop.asking.whereabouts(sample) },
      quarantine: releasedAt === null ? quarantine : null,
    };
  }

  return {
    async labels({ device, limit = LISTED, ...query } = {}) {
      const {
        unlabelled = false,
        quarantined = false,
        contradicted = false,
        asked = false,
      } = query;
      // recordings that were read in have a name like a device, and never said hello
      const known =
        device === undefined ||
        store.devices.get(device) !== undefined ||
        store.samples.latest(device, 1).length > 0;
      if (!known) throw noDevice(device);
      return store.samples
        .find({
          ...{ task: task.name, order: 'newest', limit },
          ...(quarantined ? { quarantined } : { labelled: !unlabelled && !asked }),
          ...(contradicted && { contradicted }),
          ...(asked && { asked }),
          ...(device !== undefined && { device }),
        })
        .map(toLabel);
    },
    async release(text, by) {
      const sample = store.samples.get(parseSample(text));
      if (sample === undefined || sample.quarantine === null || sample.releasedAt !== null) {
        throw new GatewayError('not-found', `no window ${text} is set aside`, {
          hint: 'see: whetstone labels --quarantined',
        });
      }
      const { id, device, quarantine } = sample;
      const at = clock.now();
      store.transaction(() => {
        store.samples.release(id, at);
        store.journal.write(
          'sample.released',
          device,
          { sample: text, reason: quarantine, ...(by !== undefined && { who: by }) },
          at,
        );
      });
      return toLabel(store.samples.get(id) as Sample);
    },
    async addLabel({ sample, cls, source = 'person', trust }, by) {
      const index = answers.parse(cls);
      const weight = trust ?? trustOf(task, source);
      const key = parseSample(sample);
      const who = by !== undefined && { who: by };
      return toLabel(await loop.truth({ sample: key, cls: index, source, trust: weight, ...who }));
    },
    withdrawLabel: async ({ sample, source }, by) =>
      toLabel(loop.labels.withdraw(parseSample(sample), source, by)),
    importLabels: async ({ rows, source = 'delayed', withinMs = WITHIN_MS, dryRun = false }, by) =>
      loop.labels.addRows(rows, {
        ...{ source, withinMs, dryRun },
        ...(by !== undefined && { who: by }),
      }),
    labelSources: async () =>
      store.labels.sources(task.name).map((tally) => ({ ...tally, trust: trusted(tally.source) })),
    async askLabels({ count, scope = 'fleet' }, by = 'person') {
      const { scope: of } = devicesOf({ store, registry, task }, scope);
      await loop.asking.learn(of);
      const { chosen, ...asked } = loop.asking.ask(count, of, by);
      return { asked: chosen.map(toLabel), ...asked };
    },
    async teach({ file, name, device, limit = TAUGHT, dryRun = false, ...given }, by) {
      if (device !== undefined && store.devices.get(device) === undefined) throw noDevice(device);
      const { openTeacher } = await import('./teacher.ts');
      const { teach } = await import('./teaching.ts');
      const { minConfidence = 0.9, scale = 1, layout = 'samples', classes } = given;
      const settings = { name, minConfidence, scale, layout, ...(classes && { classes }) };
      const teacher = await openTeacher(Buffer.from(file, 'base64'), settings, task);
      try {
        return await teach({ task, store, loop }, teacher, {
          ...{ limit, dryRun, ...(by !== undefined && { who: by }) },
          ...(device !== undefined && { device }),
        });
      } finally {
        teacher.close();
      }
    },
  };
}

/** 'DEVICE/SESSION:SEQ'. */
function parseSample(text: string): SampleKey {
  const [, device, session, seq] = /^(.+)\/(\d+):(\d+)$/.exec(text) ?? [];
  if (device === undefined) {
    throw new GatewayError('not-found', `'${text}' is no sample`, { hint: 'DEVICE/SESSION:SEQ' });
  }
  return { device, session: Number(session), seq: Number(seq) };
}
