import { describe, expect, it, onTestFinished } from 'vitest';
import { serveApi } from '../../../gateway/api/server.ts';
import { compose } from '../../../gateway/compose.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { createService } from '../../../gateway/service.ts';
import { loadTask } from '../../../gateway/task.ts';
import { meta, parts } from '../registry/support.ts';
import { whetstone } from './run.ts';

/** A gateway with one version, and its API; gone after the test. */
async function gatewayWithVersion() {
  const gateway = compose({
    ...{ task: loadTask('gesture'), directory: ':memory:', clock: realClock },
    ...{ automatic: false, seed: 1 },
  });
  const version = gateway.registry.register(parts(1), meta(), null);
  const service = createService(gateway, { sentence: '', startedAt: 0 });
  const api = await serveApi(service.call, { port: 0 });
  onTestFinished(async () => {
    await api.close();
    service.close();
    await gateway.close();
  });
  const ask = (...args: string[]) => whetstone('signing', ...args, '--url', api.url);
  return { ...gateway, ask, version };
}

describe('whetstone signing', () => {
  it('lists, rotates, revokes, and signs again what somebody looked at', async () => {
    const { ask, registry, store, version } = await gatewayWithVersion();
    const [first] = JSON.parse((await ask('--json')).out).keys as { id: string }[];
    const id = first!.id;
    const listed = await ask();
    expect([listed.status, listed.err]).toEqual([0, '']);
    expect(listed.out).toMatch(new RegExp(`${id} .* 1 +itself +signs`));

    const rotated = await ask('rotate');
    expect(rotated.out).toMatch(new RegExp(`${id} .* retired\\n(\\w+) .* ${id} +signs`));
    expect(registry.verify(version)).toEqual({ ok: true });

    const revoked = await ask('revoke', id, '--reason', 'the box was stolen');
    expect(revoked.out).toMatch(new RegExp(`${id} .* REVOKED .*: the box was stolen`));
    expect(registry.verify(version)).toEqual({ ok: false, why: 'revoked' });

    const signed = await ask('sign', version.slice(0, 8), '--reason', 'looked at its report');
    const { id: current } = registry.keyring.list().at(-1)!;
    expect(signed.out).toContain(`${version.slice(0, 8)} is signed by ${current}`);
    expect(registry.verify(version)).toEqual({ ok: true });
    const log = store.journal.find().filter(({ kind }) => /^signer|model.signed/.test(kind));
    expect(log.map(({ kind, data }) => [kind, data.reason ?? null])).toEqual([
      ['signer.created', null],
      ['signer.rotated', null],
      ['signer.revoked', 'the box was stolen'],
      ['model.signed', 'looked at its report'],
    ]);
  });

  it('says what is wrong: no reason, no such key, no such version', async () => {
    const { ask, registry } = await gatewayWithVersion();
    const { id } = registry.keyring.list()[0]!;
    expect(await ask('revoke', id)).toMatchObject({
      status: 2,
      err: expect.stringMatching(/--reason/),
    });
    expect(await ask('revoke', 'f'.repeat(16), '--reason', 'x')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/f{16}/),
    });
    expect(await ask('sign', 'ffff', '--reason', 'x')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/ffff/),
    });
    expect(registry.keyring.list().map(({ revokedAt }) => revokedAt)).toEqual([null]);
  });
});
