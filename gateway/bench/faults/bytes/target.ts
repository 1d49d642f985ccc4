import type { Mutator } from './mutate.ts';

/** What became of a case. */
export type Outcome = 'taken' | 'refused';

/** One that reads bytes from outside, under bad ones. */
export interface Target {
  /** good files or frames, what the cases are made of */
  corpus: readonly Uint8Array[];
  /** mutators that know the form */
  mutators: readonly Mutator[];
  /**
   * Hands a case over.
   *
   * @throws Error for all that must never happen: any error but a refusal by name, a forged message
   *   that is taken, a good frame that is lost
   */
  take(bytes: Uint8Array): Outcome | Promise<Outcome>;
  /** Looks once more at the whole, and ends. @throws Error as take() */
  close?(): void | Promise<void>;
}

/** Makes a target. @param directory of its own, for files; empty */
export type MakeTarget = (directory: string) => Promise<Target>;

/** Every target by its name, in the order of the report. */
export const TARGETS = {
  'frames, both ends': () => import('./targets/frames.ts').then((m) => m.frames),
  'messages under a right seal, both ends': () =>
    import('./targets/frames.ts').then((m) => m.messages),
  'CBOR of messages': () => import('./targets/cbor.ts').then((m) => m.cbor),
  manifests: () => import('./targets/models.ts').then((m) => m.manifests),
  '.tflite files': () => import('./targets/models.ts').then((m) => m.tflite),
  '.onnx files': () => import('./targets/onnx.ts').then((m) => m.onnx),
  'parts of models': () => import('./targets/models.ts').then((m) => m.parts),
  'images of slots': () => import('./targets/models.ts').then((m) => m.images),
  'recordings of gestures': () => import('./targets/texts.ts').then((m) => m.gestures),
  'recordings of arrays': () => import('./targets/texts.ts').then((m) => m.arrays),
  'tables of labels': () => import('./targets/texts.ts').then((m) => m.labels),
  'task files': () => import('./targets/texts.ts').then((m) => m.tasks),
  'board profiles': () => import('./targets/texts.ts').then((m) => m.boards),
  'configuration files': () => import('./targets/texts.ts').then((m) => m.configs),
} satisfies Record<string, () => Promise<MakeTarget>>;

export type TargetName = keyof typeof TARGETS;

/** A target with an empty folder of its own. */
export async function makeTarget(name: TargetName, directory: string): Promise<Target> {
  return (await TARGETS[name]())(directory);
}
