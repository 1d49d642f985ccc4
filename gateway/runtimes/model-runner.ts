/** A model file that runs here, whatever runs it: floats in, floats out. */
export interface ModelRunner {
  /** what runs it: 'whetstone', 'litert', 'onnxruntime-node', 'onnxruntime-web' */
  readonly runtime: string;
  /** all dimensions of the input, the batch of 1 included */
  readonly shape: readonly number[];
  /** values that it gives */
  readonly outputs: number;
  /** @param input as many values as the shape has */
  run(input: Float32Array): Promise<Float32Array>;
  close(): void;
}
