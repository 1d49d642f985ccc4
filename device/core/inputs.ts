/** Inputs of the device's machines, beside the messages of a gateway, whose codes begin at 16. */

/** A model was tested: [0 to 2 a part with a wrong crc, 3 the golden vectors differ, 4 all is well; its head]. */
export const DONE = 0;
/** A window was classified: the fields of a sample (see SampleFields). */
export const WINDOW = 1;
/** Time goes by. */
export const TICK = 2;
/** The port is open, or what `hello` says has changed: its tail (see About). */
export const GREET = 3;
