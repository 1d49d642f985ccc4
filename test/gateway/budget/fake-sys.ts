import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that looks like '/', with these files in it: path → content; null removes one. */
export function fakeSys(files: Record<string, string | number | null>) {
  const root = mkdtempSync(join(tmpdir(), 'sys-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (more: typeof files): void => {
    for (const [path, content] of Object.entries(more)) {
      const file = join(root, path);
      if (content === null) rmSync(file, { recursive: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${content}\n`);
      }
    }
  };
  write(files);
  return { root, write };
}

/** A thermal zone's files. @param trips type → m°C */
export function zone(n: number, type: string, temp: string | number, trips = {}) {
  const folder = `sys/class/thermal/thermal_zone${n}`;
  return {
    [`${folder}/type`]: type,
    [`${folder}/temp`]: temp,
    ...Object.fromEntries(
      Object.entries<number>(trips).flatMap(([kind, milli], i) => [
        [`${folder}/trip_point_${i}_type`, kind],
        [`${folder}/trip_point_${i}_temp`, milli],
      ]),
    ),
  };
}

/** A power supply's files. */
export function supply(name: string, fields: Record<string, string | number>) {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [`sys/class/power_supply/${name}/${key}`, value]),
  );
}
