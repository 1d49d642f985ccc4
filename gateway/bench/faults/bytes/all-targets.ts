import type { MakeTarget, Target } from './target.ts';

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
  backups: () => import('./targets/backups.ts').then((m) => m.backups),
  'configuration files': () => import('./targets/texts.ts').then((m) => m.configs),
} satisfies Record<string, () => Promise<MakeTarget>>;

export type TargetName = keyof typeof TARGETS;

/** A target with an empty folder of its own. */
export async function makeTarget(name: TargetName, directory: string): Promise<Target> {
  return (await TARGETS[name]())(directory);
}
