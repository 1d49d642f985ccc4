/**
 * Watches one stream of numbers for a change of its distribution.
 *
 * Every detector is made by a function of its own, `name(options, state?)`; given a state that
 * {@link Detector.state} returned, it goes on exactly where that one stood.
 */
export interface Detector<State = unknown> {
  /**
   * Takes the next value.
   *
   * @returns true if a change is detected with this value
   */
  update(x: number): boolean;
  /** What a restart needs, as plain JSON. */
  state(): State;
}
