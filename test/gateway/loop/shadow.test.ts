import { expect, it } from 'vitest';
import { createShadow } from '../../../gateway/loop/shadow.ts';
import type { Registry } from '../../../gateway/registry/registry.ts';
import { createPredictor, encodeModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

it('createShadow() says of a stored window what a version says of the whole one', async () => {
  const task = quickTask();
  const { ann } = twoPeople(task, 4, 1);
  const data = { fresh: ann.learn, old: [], recent: [] };
  const parts = encodeModel((await trainRung('whole', task, null, data, { seed: 1 })).model);
  const asked: string[] = [];
  const parting = (version: string) => {
    asked.push(version);
    return parts;
  };
  const shadow = createShadow({ parts: parting } as unknown as Registry, task);
  const predict = createPredictor(parts);
  const axes = task.sensor.axes.length;
  for (const { window, length } of ann.test) {
    // the store keeps what was measured, without the padding, as bytes
    const bytes = new Uint8Array(window.buffer, window.byteOffset, length * axes);
    const stored = new Int8Array(bytes.slice().buffer);
    expect(shadow('v1', { window: stored, length })).toBe(predict(window, length).cls);
  }
  expect(asked).toEqual(['v1']); // loaded once
  expect(shadow(null, { window: ann.test[0]!.window, length: 9 })).toBeNull();
  expect(shadow('v1', { window: null, length: 9 })).toBeNull();
});
