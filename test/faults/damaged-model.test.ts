import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HELLO, OFFER } from '../../device/core/messages.ts';
import { compose } from '../../gateway/compose.ts';
import { importRecordings } from '../../gateway/imports.ts';
import { steppedClock } from '../support/link-clock.ts';
import { temporary } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { goodWindow, hello, rawDevice, rejections } from '../support/raw-device.ts';
import { quickTask } from '../support/tasks.ts';

const task = quickTask();

/** A disk that forgets: the first byte of each part of a model is another one. */
function damage(directory: string): void {
  const db = new DatabaseSync(join(directory, 'store.db'));
  const parts = db.prepare('SELECT sha256, bytes FROM parts').all();
  expect(parts.length).toBe(3);
  for (const { sha256, bytes } of parts as { sha256: string; bytes: Uint8Array }[]) {
    const flipped = bytes.with(0, bytes[0]! ^ 1);
    db.prepare('UPDATE parts SET bytes = ? WHERE sha256 = ?').run(flipped, sha256);
  }
  db.close();
}

describe("a model that is damaged on the gateway's disk", () => {
  it.each([true, false])('is offered only while it is whole (damaged: %s)', async (isDamaged) => {
    const unhandled = rejections();
    const directory = join(temporary(), 'data');
    const clock = steppedClock(1_000_000);
    const options = { task, directory, clock, automatic: false, seed: 1 };
    const gateway = compose({ ...options, durability: 'process' });
    onTestFinished(() => gateway.close());
    const { loop, store } = gateway;
    const settle = async (): Promise<void> => {
      await setImmediate();
      store.flush();
      await setImmediate();
      await clock.advance(1500);
    };
    const [away, device] = [rawDevice('away'), rawDevice('back')];
    await loop.attach(away.port);
    away.say(HELLO, hello({ id: 'watch' }));
    await settle();
    away.drop();
    await importRecordings(store, task, 'recordings', twoPeople(task, 8, 1).ann.learn, 1);
    const { rollout, reason } = await loop.heal({ kind: 'fleet', id: '' });
    expect(rollout, reason).not.toBe(null);
    if (isDamaged) damage(directory);
    await loop.attach(device.port);
    await goodWindow(device, 'watch', 78);
    await settle();
    expect(unhandled).toEqual([]);
    const refused = store.journal.find({ kind: 'update.refused' });
    if (isDamaged) {
      expect(device.count(OFFER)).toBe(0);
      expect(refused[0]).toMatchObject({
        subject: 'watch',
        data: { release: 1, code: 'bad-hash' },
      });
      expect(String(refused[0]!.data.reason)).toContain('its pre is not what was signed');
    } else {
      expect(device.count(OFFER)).toBeGreaterThan(0);
      expect(refused).toEqual([]);
    }
    expect(store.samples.latest('watch', 1)).toMatchObject([{ session: 78, seq: 1 }]);
  });
});
