import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { BUDGET_BYTES, buildBundle } from '../../device/build.ts';
import { compact } from '../../device/compact.ts';
import { privateNames, shortNames } from '../../device/private-names.ts';
import { boardNames, loadBoard } from '../../gateway/board.ts';
import { loadTask, taskNames } from '../../gateway/task.ts';

const espruinos = boardNames().filter((name) => loadBoard(name).family === 'espruino');

for (const board of espruinos) {
  for (const task of taskNames()) {
    test(`buildBundle() stays in the budget for ${board} and the task ${task}`, async () => {
      const { code, bytes } = await buildBundle({ board: loadBoard(board), task: loadTask(task) });
      console.log(`${board} ${task}: ${bytes} of ${BUDGET_BYTES} bytes`);
      expect(() => new Script(code)).not.toThrow();
      expect(bytes).toBe(Buffer.byteLength(code));
      expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
    });
  }
}

test('buildBundle() reports the bytes of every module, largest first', async () => {
  const board = loadBoard('puckjs');
  const { report } = await buildBundle({ board, task: loadTask('gesture') });
  const names = report.map(({ module }) => module);
  for (const part of ['kernel', 'model', 'link', 'update', 'slot', 'device', 'frame', 'cbor']) {
    expect(names).toContain(`device/core/${part}.ts`);
  }
  expect(report.map(({ bytes }) => bytes)).toEqual(
    report.map(({ bytes }) => bytes).sort((a, b) => b - a),
  );
});

test("buildBundle() puts a sensor's driver only into the bundles of its board", async () => {
  const task = loadTask('gesture');
  const has = async (name: string): Promise<boolean[]> => {
    const { code } = await buildBundle({ board: loadBoard(name), task });
    return [code.includes('Bangle.on'), code.includes('Puck.accelOn')];
  };
  expect(await has('banglejs2')).toEqual([true, false]);
  expect(await has('puckjs')).toEqual([false, true]);
  expect(await has('espruino-linux')).toEqual([false, false]);
});

test('compact() rewrites only what means the same', () => {
  const code = 'const a = 1; function f(x) { return x === a } f(1)';
  expect(compact(code)).toBe('let a = 1; let f = (x) => { return x == a }; f(1)');
  const often = 'Math.max(1) + Math.max(2) + Math.max(3) + Math.max(4)';
  expect(compact(often).split('Math.max').length).toBe(2);
});

test('privateNames() leaves every name that something outside the script could have', () => {
  const code = 'f({ margin: 1, length: 2, read: 3, write: 4, id: 5, "a-b": 6, sample(x) {} })';
  expect(privateNames(code)).toEqual(['margin']);
});

test('shortNames() gives the shortest names to what is used most, and none of the outside', () => {
  expect(shortNames(['at', 'margin'], 'o.margin + o.margin - o.at')).toEqual({
    props: { props: { $margin: 'a', $at: 'b' } },
  });
  const many = Array.from({ length: 400 }, (_, i) => `name${i}`);
  const short = Object.values(shortNames(many, '').props.props);
  expect(new Set(short).size).toBe(400);
  for (const name of ['E', 'W', 'x', 'y', 'z', 'id', 'on', 'rx', 'tx']) {
    expect(short).not.toContain(name);
  }
});
