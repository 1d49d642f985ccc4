import { loadTask, parseTask, type Task } from '../../gateway/task.ts';

/** The gesture task, with so few varied windows that a test trains in no time. */
export function quickTask(changes: Partial<Task> = {}): Task {
  const task = loadTask('gesture');
  const { training } = task;
  const augment = { ...training.augment, perClass: 60 };
  return {
    ...task,
    training: { ...training, augment, linear: { ...training.linear, iterations: 60 } },
    ...changes,
  };
}

const deep = { epochs: 6, batch: 32, learningRate: 0.005 };

/**
 * A small convolutional net on raw windows: conv, pool, dense.
 *
 * @param cut layers that are frozen when the head alone is retrained
 */
export function rawTask(cut = 2): Task {
  const { sensor, window, classes, recordings } = loadTask('gesture');
  return parseTask({
    ...{ name: 'raw', kind: 'classification', sensor, window, classes, recordings },
    features: 'raw',
    architecture: {
      layers: [
        { type: 'conv1d', filters: 8, kernel: 5, stride: 2, padding: 'same', activation: 'relu' },
        { type: 'maxpool1d', pool: 2, stride: 2 },
        { type: 'dense', units: classes.length, activation: 'none' },
      ],
      cut,
    },
    training: { deep, augment: { perClass: 60, rotationDegrees: 20 } },
  });
}
