import type { LayerSpec, Task } from '../task.ts';
import type { QuantModel } from './model.ts';
import type { FloatNet } from './net.ts';
import { layerGeometry } from './quant-layer.ts';

/** Labels of a class that the champion does not know, from which on it is learnt. */
export const LEAST_OF_NEW = 5;

/**
 * Classes that a model knows: as many as it has outputs.
 *
 * @param model whose layers end in one output a class
 */
export function classesOf({ layers }: Pick<QuantModel, 'layers'>): number {
  const { heightOut, widthOut, channelsOut } = layerGeometry(layers.at(-1)!);
  return heightOut * widthOut * channelsOut;
}

/** Classes of a task that a training adds to those of its champion. */
export function newcomersOf(
  { kind, classes }: Pick<Task, 'kind' | 'classes'>,
  champion: QuantModel | null,
): number[] {
  if (champion === null || kind !== 'classification') return [];
  return [...classes.keys()].slice(classesOf(champion));
}

/**
 * The part of a task that a training is about: the classes that the champion knows, and those behind
 * them that have labels enough. What nobody has shown yet waits.
 *
 * @param task whose list of classes may be longer than the champion's
 * @param champion what runs
 * @param labels class of each new label
 * @returns the task with as many classes and outputs; the same task where none is left out
 */
export function taughtPart(task: Task, champion: QuantModel, labels: readonly number[]): Task {
  let count = Math.min(classesOf(champion), task.classes.length);
  while (count < task.classes.length && labelsOf(count, labels) >= LEAST_OF_NEW) count++;
  if (count === task.classes.length) return task;
  const cut = (layers: LayerSpec[]): LayerSpec[] =>
    layers.map((layer, i) =>
      i === layers.length - 1 && layer.type === 'dense' ? { ...layer, units: count } : layer,
    );
  const { layers, deeper } = task.architecture;
  const architecture = {
    ...task.architecture,
    layers: cut(layers),
    ...(deeper && { deeper: cut(deeper) }),
  };
  return { ...task, classes: task.classes.slice(0, count), architecture };
}

/** What is said of labels that wait; null where none does. */
export function waiting(task: Task, from: number, labels: readonly number[]): string | null {
  const few = task.classes.flatMap((name, k) =>
    k >= from && labelsOf(k, labels) > 0 ? [`${name} has ${labelsOf(k, labels)}`] : [],
  );
  if (few.length === 0) return null;
  return `a new class is learnt from ${LEAST_OF_NEW} labels, in the order of the task's classes: ${few.join(', ')}`;
}

function labelsOf(cls: number, labels: readonly number[]): number {
  return labels.filter((label) => label === cls).length;
}

/**
 * Gives a net an output for each class that it has none for. It says none of them before it is trained:
 * their weights are 0, their bias is that of the least likely class.
 *
 * @param net that ends in a dense layer, else it stays as it is
 * @param classes how many there are now
 */
export function grow(net: FloatNet, classes: number): FloatNet {
  const last = net.layers.at(-1);
  if (last?.type !== 'dense' || last.outputs >= classes) return net;
  const weights = new Float32Array(classes * last.inputs);
  weights.set(last.weights);
  const bias = new Float32Array(classes).fill(Math.min(...last.bias));
  bias.set(last.bias);
  return {
    ...net,
    layers: [...net.layers.slice(0, -1), { ...last, outputs: classes, weights, bias }],
  };
}
