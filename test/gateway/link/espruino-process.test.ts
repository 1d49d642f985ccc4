import { expect, onTestFinished, test } from 'vitest';
import { spawnEspruino } from '../../../gateway/link/virtual/espruino-process.ts';
import { temporary } from '../../support/loop-world.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../../support/run-espruino.ts';

test.skipIf(!espruinoPath() || !hasSocat)(
  `spawnEspruino() runs a line once, however often it is asked for, and throws what it throws${skippedEspruino || skippedSocat}`,
  async () => {
    const code = 'function whetstone(){setInterval(function(){},1000)}';
    const options = { path: espruinoPath()!, bundle: { code }, id: 'w1', cwd: temporary() };
    const device = await spawnEspruino(options);
    onTestFinished(() => device.stop());
    // longer than it is waited for
    const slow = 'ran=(global.ran||0)+1;var end=getTime()+5;while(getTime()<end);print("slow")';
    expect(await device.run(slow)).toBe('slow');
    expect(await device.run('print(ran)')).toBe('1');
    await expect(device.run('nobody.knows()')).rejects.toThrow(/Espruino w1 cannot run.*nobody/s);
    expect(await device.run('print(1+1)')).toBe('2');
  },
);
