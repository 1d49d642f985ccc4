import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBackup } from '../store/backup.ts';
import { openStore, type Store } from '../store/store.ts';
import type { NewSample } from '../store/types.ts';
import {
  type BenchOptions,
  type BenchReport,
  type BenchRow,
  machine,
  median,
  round,
} from './report.ts';

/** Raw windows of three axes and 50 samples, with 16 values of an embedding: the gesture task's. */
const WINDOW_BYTES = 150;
const EMBEDDING_BYTES = 16;
const WINDOWS = 20_000;
/** Windows that wait for one commit: what some dozen devices send in the time of one sync. */
const GROUP = 100;
const RUNS = 5;

/**
 * What encryption costs where windows come in and where they are read; how long the look through a
 * store at its start takes, and a step of retention, which windows have to wait for.
 *
 * @param options fewer windows, for tests
 */
export async function benchStore(
  options: BenchOptions & { windows?: number; runs?: number } = {},
): Promise<BenchReport> {
  const { windows = WINDOWS, runs = RUNS, onProgress = () => {} } = options;
  const key = { bytes: randomBytes(32), source: 'benchmark' };
  const plain: Measured[] = [];
  const sealed: Measured[] = [];
  // by turns, so that what else the machine does falls on both
  for (let run = 0; run < runs; run++) {
    onProgress(`run ${run + 1} of ${runs}`);
    plain.push(await measure(windows, undefined));
    sealed.push(await measure(windows, key));
  }
  const of = (all: Measured[], name: keyof Measured) => median(all.map((one) => one[name]));
  const beside = (name: string, which: keyof Measured, unit: string, isRate: boolean): BenchRow => {
    const [value, peerValue] = [of(sealed, which), of(plain, which)];
    const ratio = round(isRate ? value / peerValue : peerValue / value, 3);
    return {
      ...{ name, value: round(value, 2), unit, peer: 'not encrypted' },
      ...{ peerValue: round(peerValue, 2), ratio },
    };
  };
  const rows = [
    beside('windows stored, each commit synced, encrypted', 'stored', '1/s', true),
    beside('windows read, encrypted', 'read', '1/s', true),
    beside('bytes of the file for a window, encrypted', 'bytes', 'bytes', false),
    beside('look through at the start, for a million windows, encrypted', 'check', 's', false),
    beside('longest step of retention, encrypted', 'step', 'ms', false),
    beside('backup, for a million windows, encrypted', 'backup', 's', false),
  ];
  return { bench: 'store', machine: machine(), rows };
}

interface Measured {
  stored: number;
  read: number;
  bytes: number;
  check: number;
  step: number;
  backup: number;
}

async function measure(windows: number, key: { bytes: Buffer; source: string } | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-bench-'));
  const directory = join(folder, 'data');
  try {
    const store = openStore({ directory, key });
    const storing = await timed(() => fill(store, windows));
    const reading = await timed(() => void readAll(store, windows));
    const { file } = store.size();
    const checking = await timed(() => void store.damage());
    const path = join(folder, 'backup');
    const backup = await timed(() => void writeBackup(directory, path, 0));
    let step = 0;
    for (let removed = -1; removed !== 0; ) {
      const ms = await timed(() => {
        ({ removed } = store.sweep(Number.MAX_SAFE_INTEGER));
      });
      step = Math.max(step, ms);
    }
    store.close();
    const million = 1e6 / windows / 1000;
    return {
      ...{ stored: (windows / storing) * 1000, read: (windows / reading) * 1000 },
      ...{ bytes: file / windows, check: checking * million, step, backup: backup * million },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timed(run: () => void | Promise<void>): Promise<number> {
  const before = performance.now();
  await run();
  return performance.now() - before;
}

async function fill(store: Store, windows: number): Promise<void> {
  const bytes = randomBytes(WINDOW_BYTES + GROUP);
  for (let seq = 1; seq <= windows; seq += GROUP) {
    const added = Array.from({ length: Math.min(GROUP, windows - seq + 1) }, (_, i) =>
      store.samples.add(sampleOf(seq + i, bytes.subarray(i, i + WINDOW_BYTES))),
    );
    await Promise.all(added);
  }
}

function sampleOf(seq: number, window: Uint8Array): NewSample {
  return {
    ...{ device: `w${seq % 50}`, session: 7, seq: Math.ceil(seq / 50), task: 'gesture' },
    ...{ at: seq * 20, t: seq * 20, release: 1, version: null, cls: seq % 6, score: seq % 256 },
    ...{ length: 50, embedding: window.subarray(0, EMBEDDING_BYTES), window },
    ...{ label: null, quarantine: null },
  };
}

function readAll(store: Store, windows: number): void {
  let found = 0;
  for (let afterId = 0; ; ) {
    const samples = store.samples.find({ afterId, limit: 1000 });
    found += samples.length;
    if (samples.length === 0) break;
    afterId = samples.at(-1)!.id;
  }
  if (found !== windows) throw new Error(`${found} of ${windows} windows were read`);
}
