import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../../gateway/bench/faults/kill/gateway-process.ts';
import { temporary } from '../support/loop-world.ts';

const quiet = (dir: string) => ['--virtual', '0', '--http-port', '0', '--data-dir', dir];

describe('a second gateway on the same data directory', () => {
  it('ends with status 1 and one line that names the process which holds it', async () => {
    const dir = join(temporary(), 'data');
    const first = startProcess(...quiet(dir));
    await first.says('dashboard:');
    const second = startProcess(...quiet(dir));
    expect(await second.ended).toBe(1);
    expect(second.output.out).toBe('');
    expect(second.output.err.trim().split('\n').length).toBe(1);
    expect(second.output.err).toContain(`in use by process ${first.child.pid}`);
    // the first goes on, ends when it is told to, and then the directory is free
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    const third = startProcess(...quiet(dir));
    await third.says('dashboard:');
    third.child.kill('SIGTERM');
    expect(await third.ended).toBe(0);
  });
});

describe('a gateway whose page has no port', () => {
  it('ends with status 1 and one line, instead of hanging', async () => {
    const first = startProcess(...quiet(join(temporary(), 'data')));
    await first.says(/dashboard: http:\/\/127\.0\.0\.1:\d+/);
    const port = /127\.0\.0\.1:(\d+)/.exec(first.output.out)![1]!;
    const dir = join(temporary(), 'data');
    const second = startProcess('--virtual', '1', '--http-port', port, '--data-dir', dir);
    expect(await second.ended).toBe(1);
    expect(second.output.err.trim().split('\n').length).toBe(1);
    expect(second.output.err).toContain(`port ${port} is taken`);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
  });
});
