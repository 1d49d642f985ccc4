import { crc32 } from 'node:zlib';
import { plainSuite } from '../../../device/core/frame.ts';

/**
 * `none`: a CRC-32 finds accidents, not people. For virtual devices; for real boards only where that
 * is plainly allowed.
 */
export const none = plainSuite((bytes) => crc32(bytes));
