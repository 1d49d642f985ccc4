import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Gateway } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/main.ts';
import { temporary } from '../support/loop-world.ts';

let gateway: Gateway;

beforeAll(async () => {
  const dataDir = join(temporary(afterAll), 'data');
  gateway = await startGateway({ virtual: 1, port: 0, dataDir });
});
afterAll(() => gateway.close());

/** A scrape: value by name and labels, as Prometheus reads it. */
async function scrape(): Promise<Map<string, number>> {
  const response = await fetch(`${gateway.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await response.text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      return [name!, Number(value)];
    }),
  );
}

describe('createMetrics()', () => {
  it('tells what a gateway did, as it does it', async () => {
    await vi.waitFor(
      async () => expect((await scrape()).get('whetstone_windows_stored_total')).toBeGreaterThan(1),
      { timeout: 15_000, interval: 200 },
    );
    const found = await scrape();
    const [device] = await gateway.call.devices();
    expect(device!.samples - found.get('whetstone_windows_stored_total')!).toBeLessThan(3);
    expect(found.get('whetstone_devices')).toBe(1);
    expect(found.get('whetstone_devices_online')).toBe(1);
    expect(found.get('whetstone_events_total{kind="device.seen"}')).toBe(1);
    expect(found.get('whetstone_training{state="running"}')).toBe(0);
    expect(found.get('whetstone_store_bytes{part="file"}')).toBeGreaterThan(10_000);
    expect(found.get('whetstone_store_full')).toBe(0);
    expect(found.get('whetstone_windows_lost{how="dropped"}')).toBe(0);
    expect(found.get('whetstone_link_frames{what="bad"}')).toBe(0);
    const commits = found.get('whetstone_commit_duration_seconds_count')!;
    expect(found.get('whetstone_commit_writes_total')).toBeGreaterThanOrEqual(commits);
    expect(found.get('whetstone_commit_duration_seconds_bucket{le="+Inf"}')).toBe(commits);
    expect(found.get('whetstone_event_loop_lag_seconds{quantile="0.99"}')).toBeGreaterThan(0);
    expect(found.get('process_resident_memory_bytes')).toBeGreaterThan(20e6);
    const rollouts = [...found].filter(([name]) => name.startsWith('whetstone_rollouts{'));
    expect(rollouts.reduce((sum, [, count]) => sum + count, 0)).toBe(
      (await gateway.call.rollouts()).length,
    );
    const cpu = found.get('process_cpu_seconds_total')!;
    expect((await scrape()).get('process_cpu_seconds_total')).toBeGreaterThanOrEqual(cpu);
  });

  it('names no kind, stage or alarm that is not there', async () => {
    const names = [...(await scrape()).keys()];
    expect(names.some((name) => name.includes('undefined'))).toBe(false);
  });
});
