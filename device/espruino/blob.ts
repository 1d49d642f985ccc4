import { KERNEL } from '../native/blobs.ts';

/**
 * Machine code of the tier `thumb`, base64. `build` replaces this module: by the code for dense layers
 * alone where that is enough, by none for boards that cannot run it.
 */
export const BLOB: string = KERNEL;
