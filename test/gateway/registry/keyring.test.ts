import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openKeyring } from '../../../gateway/registry/keyring.ts';
import { openRegistry } from '../../../gateway/registry/registry.ts';
import { memorySigner, openSigner, type Signer } from '../../../gateway/registry/signing.ts';
import type { Store } from '../../../gateway/store/store.ts';
import { temporary, testStore } from '../store/support.ts';
import { meta, parts } from './support.ts';

const because = { who: 'test', why: 'stolen' };
const code = (name: string) => expect.objectContaining({ code: name });
const now = () => 5000;

function setUp() {
  const store = testStore();
  const signer = memorySigner();
  const registry = openRegistry(store, signer, now);
  const version = registry.register(parts(), meta(), null);
  return { store, signer, registry, keyring: registry.keyring, version };
}

describe('rotate()', () => {
  test('lets a new key take over that the old one vouches for; what was signed stays good', () => {
    const { registry, keyring, version, store, signer } = setUp();
    const release = registry.release(version, 'first');
    const [old] = keyring.list();
    const id = keyring.rotate('test');
    expect(keyring.list().map((key) => [key.id, key.signedBy])).toEqual([
      [old?.id, old?.id],
      [id, old?.id],
    ]);
    expect(registry.verify(version)).toEqual({ ok: true });
    expect(registry.offer(release).release).toBe(release);
    const bytes = Uint8Array.of(1);
    expect(keyring.sign(bytes).signer).toBe(id);
    expect(store.catalogue.release(registry.release(version, 'again'))?.signer).toBe(id);
    expect(store.journal.find({ kind: 'signer.rotated' })[0]).toMatchObject({ subject: id });
    const third = keyring.rotate('test');
    expect(openKeyring(store, signer, now).list().at(-1)?.id).toBe(third);
  });

  test('keeps private keys readable for their owner alone, and the old one nowhere', () => {
    const directory = temporary();
    const path = join(directory, 'key.pem');
    const store = testStore();
    const keyring = openKeyring(store, openSigner(path), now);
    const before = readFileSync(path, 'utf8');
    keyring.rotate('test');
    expect(readdirSync(directory)).toEqual(['key.pem']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).not.toBe(before);
  });

  test.each([1, 2, 3, 4])('leaves a key that signs when power goes before step %i', (fatal) => {
    const directory = temporary();
    const path = join(directory, 'key.pem');
    const data = join(directory, 'data');
    let store = testStore({ directory: data });
    const signer = openSigner(path);
    openRegistry(store, signer, now).register(parts(), meta(), null);
    let step = 0;
    const cut = (): void => {
      if (++step === fatal) throw new Error('power');
    };
    // every durable step of a rotation: the file, the store's commit, the file again
    const mortal: Signer = {
      get current() {
        return signer.current;
      },
      get next() {
        return signer.next;
      },
      prepare() {
        cut();
        const made = signer.prepare();
        cut();
        return made;
      },
      adopt() {
        cut();
        signer.adopt();
        cut();
      },
      discard: () => signer.discard(),
    };
    const dying = openRegistry(store, mortal, now);
    const [old] = dying.keyring.list();
    expect(() => dying.keyring.rotate('test')).toThrow('power');
    store.close();
    store = testStore({ directory: data });
    const registry = openRegistry(store, openSigner(path), now);
    const keys = registry.keyring.list();
    expect(keys.map(({ id }) => id === old?.id)).toEqual(fatal < 3 ? [true] : [true, false]);
    expect(readdirSync(directory).sort()).toEqual(['data', 'key.pem']);
    const version = registry.register(parts(2), meta(), null);
    expect(registry.verify(version)).toEqual({ ok: true });
    expect(registry.list().every((model) => registry.verify(model.version).ok)).toBe(true);
    expect(registry.keyring.rotate('test')).toBe(registry.keyring.list().at(-1)?.id);
  });

  test('rotate() finishes first what failed before it, when the process went on', () => {
    const { store, signer } = setUp();
    let fails = true;
    const mortal: Signer = Object.create(signer, {
      adopt: {
        value() {
          if (fails) throw new Error('no room');
          signer.adopt();
        },
      },
    });
    const keyring = openKeyring(store, mortal, now);
    expect(() => keyring.rotate('test')).toThrow('no room');
    fails = false;
    const id = keyring.rotate('test');
    expect(keyring.list().map((key) => key.id)).toHaveLength(3);
    expect(openKeyring(store, signer, now).list().at(-1)?.id).toBe(id);
  });
});

describe('revoke()', () => {
  test('takes back what the key signed: neither offered, nor released, until signed again', () => {
    const { registry, keyring, version, store } = setUp();
    const release = registry.release(version, 'first');
    const [old] = keyring.list();
    const id = old?.id as string;
    expect(() => keyring.revoke(id, because)).toThrow(code('not-allowed'));
    keyring.rotate('test');
    keyring.revoke(id, because);
    expect(registry.verify(version)).toEqual({ ok: false, why: 'revoked' });
    expect(() => registry.offer(release)).toThrow(code('revoked-key'));
    expect(() => registry.release(version, 'more')).toThrow(code('revoked-key'));
    expect(() => registry.release(version, 'more')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('signing sign') }),
    );
    registry.signAgain(version, because);
    expect(registry.verify(version)).toEqual({ ok: true });
    // the statement of the release was the old key's too
    expect(() => registry.offer(release)).toThrow(code('revoked-key'));
    expect(registry.offer(registry.release(version, 'looked at')).release).toBe(release + 1);
    expect(() => keyring.revoke(id, because)).toThrow(code('not-allowed'));
    expect(() => keyring.revoke('nobody', because)).toThrow(code('not-found'));
    expect(store.journal.find({ kind: 'signer.revoked' })[0]?.data).toEqual({
      ...{ who: 'test', reason: 'stolen' },
    });
  });

  test('signAgain() signs nothing whose parts are not what was signed', () => {
    const directory = temporary();
    const store = testStore({ directory });
    const registry = openRegistry(store, memorySigner(), now);
    const { version } = { version: registry.register(parts(), meta(), null) };
    store.catalogue.addPart(parts().head);
    expect(() => registry.signAgain('ff', because)).toThrow(code('not-found'));
    const row = store.catalogue.model(version);
    store.catalogue.addModel({ ...(row as never as object), version: 'ab', at: 1 } as never);
    expect(() => registry.signAgain('ab', because)).toThrow(code('bad-hash'));
  });
});

describe('openKeyring()', () => {
  test('refuses a key file that is not of this store, and a chain that somebody changed', () => {
    const { store } = setUp();
    expect(() => openKeyring(store, memorySigner(), now)).toThrow(code('bad-key'));
    const cases: ((store: Store, other: Signer) => void)[] = [
      // a key that put itself behind the first one
      (made, { current }) =>
        made.signers.add({
          ...{ id: current.id, publicKey: current.publicKey, at: 1, signedBy: current.id },
          signature: current.sign(Uint8Array.of(1)),
        }),
    ];
    for (const change of cases) {
      const { store: made } = setUp();
      const thief = memorySigner();
      change(made, thief);
      expect(() => openKeyring(made, thief, now)).toThrow(code('bad-key'));
    }
  });

  test('trusts no key again whose revocation was taken out of the store behind the log', () => {
    const { store, signer, keyring } = setUp();
    const [first] = keyring.list();
    keyring.rotate('test');
    keyring.revoke(first!.id, because);
    expect(openKeyring(store, signer, now).list()[0]?.revokedAt).not.toBe(null);
    const none = { revokedAt: null, reason: null, revokedBy: null, revocation: null };
    store.signers.revoke({ id: first!.id, ...none } as never);
    expect(() => openKeyring(store, signer, now)).toThrow(code('bad-key'));
  });

  test('refuses a signature by a key that it does not know', () => {
    const { keyring, signer } = setUp();
    const thief = memorySigner().current;
    const bytes = Uint8Array.of(7);
    expect(keyring.trust(bytes, thief.sign(bytes), thief.id)).toBe('unknown');
    expect(keyring.trust(bytes, thief.sign(bytes), signer.current.id)).toBe('wrong');
    expect(keyring.trust(bytes, new Uint8Array(3), signer.current.id)).toBe('wrong');
    expect(keyring.trust(bytes, signer.current.sign(bytes), null)).toBe('good');
  });
});

describe('offer()', () => {
  test('refuses a release whose time is over, and says how to release it again', () => {
    let clock = 5000;
    const store = testStore();
    const registry = openRegistry(store, memorySigner(), () => clock);
    const version = registry.register(parts(), meta(), null);
    const release = registry.release(version, 'first');
    const { expires } = registry.offer(release);
    expect(expires).toBe(5000 + 90 * 86_400_000);
    clock = expires - 1;
    expect(registry.offer(release).release).toBe(release);
    clock = expires;
    expect(() => registry.offer(release)).toThrow(code('expired-release'));
    expect(() => registry.offer(release)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('whetstone promote') }),
    );
    expect(registry.offer(registry.release(version, 'looked at')).release).toBe(release + 1);
  });
});
