import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pack, STATUS, WANT } from '../../../device/core/messages.ts';
import { deliverer } from '../../../gateway/bench/update/deliver.ts';
import { benchDevice, serialLink } from '../../../gateway/bench/update/links.ts';
import { pacedPort } from '../../../gateway/bench/update/paced-port.ts';
import { updateModel } from '../../../gateway/bench/update/update-model.ts';
import { benchUpdate } from '../../../gateway/bench/update.ts';
import { composeMessage } from '../../../gateway/link/messages.ts';
import { pairedPorts } from '../../../gateway/link/port.ts';
import { loadTask } from '../../../gateway/task.ts';
import { hasBle, skippedBle } from '../../support/ble.ts';

const task = loadTask('gesture');

describe('pacedPort()', () => {
  it('lets bytes arrive in order and no earlier than a line carries them', async () => {
    const [near, far] = pairedPorts();
    const port = pacedPort(near, 10_000);
    await Promise.all([port.open(), far.open()]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const [there, back]: number[][] = [[], []];
    far.onData((bytes) => {
      there.push(...bytes);
      if (there.length === 600) far.write(Uint8Array.of(9));
    });
    port.onData((bytes) => back.push(...bytes));
    port.write(new Uint8Array(400).fill(1));
    port.write(new Uint8Array(200).fill(2));
    expect(port.flow!.queued).toBe(600);
    await vi.advanceTimersByTimeAsync(39);
    expect(there).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect([there.length, port.flow!.queued]).toEqual([400, 200]);
    await vi.advanceTimersByTimeAsync(1);
    expect(there).toEqual([...Array(400).fill(1), ...Array(200).fill(2)]);
    expect(back).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect([back, port.bytes, port.flow!.queued]).toEqual([[9], { sent: 600, received: 1 }, 0]);
  });
});

describe('deliverer()', () => {
  it('counts what an update costs: the parts that differ, and little beside', async () => {
    const device = await benchDevice('banglejs2', task, 'ccm');
    const link = await serialLink(device.port);
    const gateway = await deliverer(link.port, task, device.keys);
    const model = (release: number) => updateModel('banglejs2', task, [16, 6], release, 7);
    const [first, second] = [model(1), model(2)];
    const parts = first.parts.map((part, i) => [part, second.parts[i]!]);
    expect(parts.map(([a, b]) => Buffer.compare(a!, b!) === 0)).toEqual([true, true, false]);
    const whole = await gateway.deliver(first);
    const head = await gateway.deliver(second);
    // each of its frames once, the last status too: a seal of 16 bytes, COBS and two zeros around each
    const data = second.parts[2]!;
    const frames = [
      composeMessage('offer', second.offer),
      ...[1, 2, 3, 4, 5].map((code) => pack(STATUS, [2, code, 0])),
      pack(WANT, [2, 2, 0, data.length]),
      composeMessage('chunk', { release: 2, part: 2, offset: 0, data }),
      composeMessage('confirm', { release: 2 }),
    ];
    const least = frames.reduce((sum, payload) => sum + payload.length + 19, 0);
    expect(head.updateBytes - least).toBeOneOf([0, 1]); // a run without zeros costs COBS another
    const total = first.parts.reduce((sum, part) => sum + part.length, 0);
    expect(whole.updateBytes).toBeGreaterThan(total);
    expect(head.updateBytes).toBeGreaterThan(second.parts[2]!.length);
    expect(whole.updateBytes - head.updateBytes).toBeGreaterThan(total - second.parts[2]!.length);
    expect(head.allBytes).toBeGreaterThan(head.updateBytes);
    expect(head.confirmedMs).toBeGreaterThan(head.trialMs);
    expect(head.updateBytes).toBeLessThanOrEqual(1.25 * second.parts[2]!.length + 300);
    await gateway.close();
    await link.close();
    await device.dispose();
  });
});

describe('benchUpdate()', () => {
  it(`gives a row for each link, or says why not${skippedBle}`, async () => {
    const { rows } = await benchUpdate({ runs: 1, boards: ['puckjs'] });
    const serial = rows.filter(({ name }) => name.includes('serial'));
    expect(serial.length).toBe(16);
    for (const row of serial) {
      expect(row.value).toBeGreaterThan(0);
      expect(row.peerValue).toBeGreaterThan(0);
      expect(row.ratio).toBeCloseTo(row.peerValue! / row.value!, 1);
    }
    const aimed = serial.filter(({ aim }) => aim !== undefined);
    expect(aimed.map(({ name }) => name.split(',')[0])).toEqual(['head 50→6', 'head 50→16→6']);
    expect(aimed.map(({ met }) => met)).toEqual([true, true]);
    const radio = rows.filter(({ name }) => name.includes('Bluetooth'));
    if (hasBle) expect(radio[0]).toMatchObject({ unit: 'bytes/s', value: expect.any(Number) });
    else expect(radio).toMatchObject([{ skipped: expect.any(String) }]);
  });
});
