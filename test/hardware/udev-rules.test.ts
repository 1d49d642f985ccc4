import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const path = new URL('../../hardware/gateway/60-whetstone.rules', import.meta.url).pathname;
const rules = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
/** `udevadm verify` is there from systemd 254 on. */
const verifies = spawnSync('udevadm', ['verify', '--help']).status === 0;

describe('hardware/gateway/60-whetstone.rules', () => {
  it('is made of matches and assignments alone, and every jump has its label behind it', () => {
    for (const line of rules) {
      expect(line).toMatch(
        /^([A-Z]+(\{\w+\})?(==|!=|=|\+=)"[^"]*")(, [A-Z]+(\{\w+\})?(==|!=|=|\+=)"[^"]*")*$/,
      );
      const [, target] = /GOTO="(\w+)"/.exec(line) ?? [];
      if (target === undefined) continue;
      expect(rules.indexOf(`LABEL="${target}"`)).toBeGreaterThan(rules.indexOf(line));
    }
  });

  it.skipIf(!verifies)(
    `is valid for udev${verifies ? '' : ' (skipped: udevadm cannot verify)'}`,
    () => {
      const { status, stdout, stderr } = spawnSync('udevadm', ['verify', path]);
      expect(`${status} ${stdout}${stderr}`).toMatch(/^0/);
    },
  );
});
