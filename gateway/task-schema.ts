import Type, { type Static } from 'typebox';
import { anomaly } from './task-schema/anomaly.ts';
import { architecture } from './task-schema/architecture.ts';
import { closed } from './task-schema/fields.ts';
import { gate } from './task-schema/gate.ts';
import { labels } from './task-schema/labels.ts';
import { monitor } from './task-schema/monitor.ts';
import { recordings } from './task-schema/recordings.ts';
import { rollout } from './task-schema/rollout.ts';
import { schedule } from './task-schema/schedule.ts';
import { send } from './task-schema/send.ts';
import { sensor } from './task-schema/sensor.ts';
import { target } from './task-schema/target.ts';
import { training } from './task-schema/training.ts';
import { window } from './task-schema/window.ts';

export type { LayerSpec } from './task-schema/architecture.ts';

/**
 * The shape of a task file, `hardware/tasks/*.json`: what is learned, from which sensor, and under which
 * policies. Draft 2020-12, closed, with its defaults.
 *
 * Every field is described here, or in the file of its section, and nowhere else. A field with a
 * `default` may be left out of the file; a field that is not here is refused.
 */
export const TaskSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', description: 'as the file is called' }),
    kind: Type.Enum(['classification', 'regression', 'anomaly'], {
      description:
        "what the model answers: one of the classes; a number, the target; or 'normal' or 'anomaly', learned from normal windows alone",
    }),
    description: Type.String({ default: '', description: 'one sentence for people' }),
    sensor,
    window,
    features: Type.Enum(['raw', 'statistics', 'motion'], {
      description: 'what the device computes from a window and the first layer sees',
    }),
    classes: Type.Array(Type.String({ pattern: '^[a-z0-9_-]+$' }), {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      description:
        'names of the classes; the order is the order of the logits. Left out by the other kinds',
    }),
    target: Type.Optional(target),
    anomaly: Type.Optional(anomaly),
    architecture,
    recordings,
    send,
    monitor,
    gate,
    rollout,
    training,
    schedule,
    labels,
  },
  closed,
);

/** A task as the gateway uses it: the file with its defaults filled in. */
export type Task = Static<typeof TaskSchema>;
