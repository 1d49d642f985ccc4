import type { InferView, Signal, SignalView, WindowView } from './views/window.ts';
/** What can be asked of a gateway about the windows of a device: a part of its calls, see `calls.ts`. */
export interface WindowCalls {
  /**
   * Stored windows of a device, newest first.
   *
   * @param device its id, or the name of imported recordings
   * @throws GatewayError 'not-found' if nobody of that name is known, or no window `before`
   */
  windows(device: string, query?: WindowQuery): Promise<WindowView[]>;
  /**
   * One stored window with what the sensor gave.
   *
   * @param window its id, 'SESSION:SEQ'
   * @throws GatewayError 'not-found'
   */
  window(device: string, window: string): Promise<SignalView>;
  /**
   * What a model says of a window, in the device's own arithmetic: bit for bit what a device that runs
   * the version says.
   *
   * @throws GatewayError 'not-found' (no such device, version or champion), 'bad-window' that says which
   *   shape is expected
   */
  infer(request: InferRequest): Promise<InferView>;
  /**
   * Calls back for every window from now on, once it is stored; costs nothing while nobody listens.
   *
   * @returns a function that ends it
   */
  onWindow(listener: (window: WindowView) => void): () => void;
}

export interface WindowQuery {
  /** default 50 */
  limit?: number;
  /** id of a window, 'SESSION:SEQ': only those that came before it */
  before?: string;
}

/** Whose model, and one of `window`, `features` and `embedding`. */
export interface InferRequest {
  /** the champion that serves this device */
  device?: string;
  /** the champion of 'fleet' (the default), 'cohort:NAME' or 'device:ID' */
  scope?: string;
  /** a version, or its first digits */
  version?: string;
  /** samples × axes, in the sensor's unit as {@link Signal} has it; a short gesture may have fewer samples */
  window?: number[][];
  /** the model's input as the device computes it of a window: integers, not normalised */
  features?: number[];
  /** what the head sees: int8 */
  embedding?: number[];
}
