import { EVENTS, MESSAGES, STATUSES } from '../../device/core/messages.ts';

const TYPES = {
  i: 'int',
  I: 'int or null',
  t: 'text',
  b: 'bytes',
  B: 'bytes or null',
  p: '3 × [id bytes, length int, crc32 int]',
};

/**
 * The message table as the documentation shows it, so that there is one table only.
 *
 * @returns Markdown: messages, status codes, event codes
 */
export function messageTable(): string {
  const rows = MESSAGES.map((row) => {
    const types = Object.entries(row.fields) as [string, keyof typeof TYPES][];
    const fields = types.map(([name, type]) => `\`${name}\` ${TYPES[type]}`).join(', ');
    return `| ${row.code} | \`${row.name}\` | ${row.from} | ${fields} | ${row.note} |`;
  });
  const statuses = Object.entries(STATUSES).map(([code, name]) => `| ${code} | ${name} |`);
  const events = Object.entries(EVENTS).map(([code, text]) => `| ${code} | ${text} |`);
  return [
    '| code | message | from | fields, in order | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '| status | meaning |',
    '| --- | --- |',
    ...statuses,
    '',
    '| event | meaning |',
    '| --- | --- |',
    ...events,
  ].join('\n');
}
