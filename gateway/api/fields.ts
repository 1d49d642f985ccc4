import Type from 'typebox';
import { SOURCE } from '../trust.ts';

/*
 * Fields that several requests have. What each `description` says is told where a value does not fit.
 */

export const scope = Type.String({
  ...{ pattern: '^(fleet|cohort:.+|device:.+)$', maxLength: 210 },
  description: 'fleet, cohort:NAME or device:ID',
});
export const digits = Type.String({
  pattern: '^[0-9a-f]{4,64}$',
  description: 'a version or its first digits, 4 to 64 hexadecimal',
});
export const deviceId = Type.String({
  ...{ minLength: 1, maxLength: 200 },
  description: 'the id of a device',
});
export const sample = Type.String({
  ...{ pattern: '^[^\\s]+/\\d+:\\d+$', description: 'a window, DEVICE/SESSION:SEQ' },
});
export const cls = Type.String({ minLength: 1, description: 'the name of a class, or a value' });
export const source = Type.String({
  ...{ pattern: SOURCE, maxLength: 100 },
  description: 'who says it: person, person:NAME, must-pass, delayed, teacher:NAME …',
});
export const reason = Type.String({
  ...{ minLength: 1, maxLength: 500, description: 'why, for the log' },
});
