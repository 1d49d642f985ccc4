import type { Store } from '../../../gateway/store/store.ts';
import { sample } from './support-sample.ts';

/** Puts something into every table of a store; of an earlier schema into those that it has. */
export async function fillStore(store: Store): Promise<void> {
  const hello = { board: 'b', task: 'gesture', tier: 'reference', session: 7, release: 1, at: 900 };
  store.devices.hello({ ...hello, id: 'w1', version: 'v', state: 1 });
  store.devices.hello({ ...hello, id: 'w2', version: null, state: 0 });
  store.devices.setCohort('w2', 'left');
  for (let seq = 1; seq <= 6; seq++) {
    const window = Int8Array.from({ length: 30 }, (_, i) => i * seq - 50);
    const embedding = seq % 2 === 0 ? Int8Array.from([seq, -seq, 127, -128]) : null;
    const added = store.samples.add(
      sample({ seq, t: seq * 1000, at: 1000 + seq, window: seq === 5 ? null : window, embedding }),
    );
    store.flush();
    await added;
  }
  const labels = [
    { id: 'l1', sample: 1, cls: 2, source: 'person', trust: 1, at: 2000 },
    { id: 'l2', sample: 1, cls: 3, source: 'teacher:t', trust: 0.5, at: 2001 },
    { id: 'l3', sample: 2, cls: 4, source: 'must-pass', trust: 1, at: 2002 },
    { id: 'l4', sample: 3, cls: 1, source: 'person', trust: 1, at: 2003 },
  ];
  const added = labels.map((label) => store.labels.add(label));
  store.flush();
  await Promise.all(added);
  store.labels.withdraw?.(3, undefined, 2100);
  store.asked?.note([4, 5], 'person', 2200);
  const part = store.catalogue.addPart(Buffer.from('a part of a model'));
  const snapshot = store.catalogue.addSnapshot(store.samples.labelled({}), 2300);
  const row = {
    manifest: Buffer.from(part),
    signature: Buffer.from('s'),
    task: 'gesture',
    at: 2400,
    signer: null,
  };
  const scope = { scopeKind: 'fleet', scopeId: '', parent: null, snapshot, stage: 'candidate' };
  store.catalogue.addModel({ ...row, ...scope, version: 'v', report: '{"a":1}' });
  store.catalogue.setStage({ version: 'v', stage: 'champion', at: 2500, who: 'me', why: 'so' });
  const release = store.catalogue.nextRelease();
  store.catalogue.addRelease({
    release,
    version: 'v',
    signature: Buffer.from('t'),
    at: 2600,
    why: '',
    ...{ signer: null, expires: null },
  });
  store.keys?.add('w1', { board: 'b', suite: 'ccm', at: 2650 });
  store.keys?.rotate('w1');
  const token = { id: 't1', name: 'ann', role: 'labeller', addedAt: 2660, expiresAt: null };
  store.tokens?.add({ ...token, hash: Buffer.alloc(32, 7) });
  const signIn = { id: 's1', token: 't1', at: 2670, expiresAt: 9000 };
  store.tokens?.addSignIn({ ...signIn, hash: Buffer.alloc(32, 8) }, 9);
  store.journal.write('gateway.started', '', { n: 1 }, 2700);
  store.states.saveRollout({ id: 'r1', at: 2800, active: true, state: '{"stage":"canary"}' });
  const saved = store.states.save('monitor', { seen: [1, 2, 3], text: 'mönitor' });
  store.flush();
  await saved;
}

/** Everything that a store gives back, as plain values. */
export function contentsOf(store: Store): Record<string, unknown> {
  const samples = store.samples.find({}).map(({ window, embedding, ...rest }) => ({
    ...rest,
    window: window && [...window],
    embedding: embedding && [...embedding],
    labels: store.labels.of(rest.id).map((label) => ({ ...label })),
    asked: store.asked.get(rest.id),
  }));
  const bytes = (value: Uint8Array) => Buffer.from(value).toString('hex');
  const keys = store.keys?.list().map(({ device, present, pending }) => ({
    device,
    ...{ up: bytes(present.up), down: bytes(present.down), next: pending && bytes(pending.up) },
  }));
  const models = store.catalogue.models({}).map((model) => ({
    ...{ ...model, manifest: bytes(model.manifest), signature: bytes(model.signature) },
    part: bytes(store.catalogue.part(Buffer.from(model.manifest).toString())!),
    stages: store.catalogue.stages(model.version),
    releases: store.catalogue
      .releasesOf(model.version)
      .map((r) => ({ ...r, signature: bytes(r.signature) })),
  }));
  const tokens = store.tokens?.list().map((token) => ({ ...token, hash: bytes(token.hash) }));
  return {
    ...{ keys, tokens },
    ...{ gateway: store.gateway, samples, models },
    devices: store.devices.list().map((device) => ({
      ...{ ...device, history: store.devices.history(device.id) },
      progress: store.samples.progress(device.id, 7),
    })),
    events: store.journal.find(),
    rollouts: store.states.rollouts(),
    monitor: store.states.load('monitor'),
    sources: store.labels.sources('gesture'),
  };
}
