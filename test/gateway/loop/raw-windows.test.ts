import { describe, expect, it, onTestFinished } from 'vitest';
import { createRawWindows } from '../../../gateway/loop/raw-windows.ts';
import { openStore } from '../../../gateway/store/store.ts';
import type { NewSample } from '../../../gateway/store/types.ts';

const sample = (session: number, seq: number, window: Int8Array | null = null): NewSample => ({
  ...{ device: 'w', session, seq, task: 'gesture', at: seq, t: seq, release: 1, version: null },
  ...{ cls: 0, score: 9, length: 1, embedding: null, window, label: null, quarantine: null },
});

function world() {
  const store = openStore({ directory: ':memory:' });
  onTestFinished(() => store.close());
  const asked: (readonly number[])[] = [];
  const online = new Map([['w', { ask: (seqs: readonly number[]) => void asked.push(seqs) }]]);
  const newest = new Map([['w', { session: 2 }]]);
  return { store, asked, online, raw: createRawWindows({ store, online, newest }) };
}

describe('createRawWindows()', () => {
  it('askOf() asks for a window of the session that goes on, and for none of an earlier one', () => {
    const { asked, online, raw } = world();
    raw.askOf({ device: 'w', session: 1, seq: 7 });
    raw.askOf({ device: 'w', session: 2, seq: 8 });
    raw.askOf({ device: 'nobody', session: 2, seq: 9 });
    expect(asked).toEqual([[8]]);
    online.delete('w');
    raw.askOf({ device: 'w', session: 2, seq: 10 });
    expect(asked).toEqual([[8]]);
  });

  it('askNewest() asks one by one for what came in the session without its raw samples', async () => {
    const { store, asked, raw } = world();
    const seqs = Array.from({ length: 36 }, (_, k) => k + 1);
    const added = seqs.map((seq) =>
      store.samples.add(sample(seq === 20 ? 1 : 2, seq, seq === 30 ? Int8Array.of(5) : null)),
    );
    store.flush();
    await Promise.all(added);
    raw.askNewest('w');
    // of the 32 newest one is of an earlier session, and one is raw
    expect(asked.flat().sort((a, b) => a - b)).toEqual(
      seqs.filter((seq) => seq > 4 && seq !== 20 && seq !== 30),
    );
    expect(asked.length).toBe(30);
  });
});
