/** What a version can be taken out as. */
export const FORMATS = ['tflite', 'onnx', 'image'] as const;
export type Format = (typeof FORMATS)[number];
