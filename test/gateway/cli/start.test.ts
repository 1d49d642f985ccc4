import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProcess } from '../../../gateway/bench/faults/kill/gateway-process.ts';
import { loadTask } from '../../../gateway/task.ts';
import { temporary } from '../../support/loop-world.ts';
import { whetstone } from './run.ts';

it('start() says how to go on when Ctrl-C stops it', async () => {
  const args = ['--virtual', '1', '--http-port', '0', '--data-dir', join(temporary(), 'data')];
  const gateway = startProcess(...args);
  await gateway.says(/^admin token: .*data\/admin\.token/m);
  gateway.child.kill('SIGINT');
  expect(await gateway.ended).toBe(0);
  expect(gateway.output.out.trim().split('\n').at(-1)).toBe(
    `stopped; go on with: npm start -- ${args.join(' ')}`,
  );
});

it('start() says that virtual watches do not make a class that the task gained', async () => {
  const task = structuredClone(loadTask('gesture'));
  task.classes.push('nod');
  for (const last of [task.architecture.layers.at(-1), task.architecture.deeper?.at(-1)])
    Object.assign(last!, { units: 7 });
  const path = join(temporary(), 'seven.json');
  writeFileSync(path, JSON.stringify(task));
  const { status, err } = await whetstone('start', '--task', path, '--virtual', '1');
  expect([status, err]).toEqual([
    1,
    "whetstone: no virtual watch makes the gesture 'nod' (they make swiperight, swipeleft, upup, waggle, clap2, push, random; " +
      'name the port of a real board: --port, or start none: --virtual 0)\n',
  ]);
});

it('start() writes a JSON object a line where it is asked to, and never a token', async () => {
  const args = ['--virtual', '0', '--http-port', '0', '--data-dir', join(temporary(), 'data')];
  const gateway = startProcess(...args, '--log', 'json');
  await gateway.says('token.added');
  const { url } = JSON.parse(gateway.output.out.split('\n')[0]!);
  const wrong = { headers: { authorization: 'Bearer wt_guess' } };
  expect((await fetch(`${url}/api/me`, wrong)).status).toBe(401);
  await gateway.says('not-signed-in');
  gateway.child.kill('SIGTERM');
  expect(await gateway.ended).toBe(0);
  const lines = gateway.output.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ level: 'info', msg: 'no devices' });
  expect(lines.find(({ kind }) => kind === 'token.added')).toMatchObject({ level: 'info' });
  expect(lines.find(({ code }) => code === 'not-signed-in')).toMatchObject({ level: 'warn' });
  expect(lines.at(-1)).toMatchObject({ msg: 'stopped' });
  expect(gateway.output.out).not.toMatch(/wt_/);
});
