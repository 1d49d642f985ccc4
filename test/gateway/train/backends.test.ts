import util from 'node:util';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../gateway/errors.ts';
import { chooseBackend, listBackends } from '../../../gateway/train/backends.ts';

const missing = async (name: string): Promise<never> => {
  const error = new Error(`Cannot find package '${name}' imported from /somewhere`);
  throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
};
const fake = {
  enableProdMode() {},
  async ready() {},
  getBackend: () => 'tensorflow',
};

describe('backends', () => {
  it('chooseBackend() takes the built-in trainer when nothing else is asked for', async () => {
    expect((await chooseBackend()).name).toBe('builtin');
    expect((await chooseBackend('builtin', missing)).name).toBe('builtin');
  });

  it('chooseBackend() prefers tfjs-node when both load', async () => {
    const backend = await chooseBackend('tensorflow', async () => fake);
    expect(backend.name).toBe('@tensorflow/tfjs-node');
  });

  it('chooseBackend() falls back to tfjs when tfjs-node does not load', async () => {
    const backend = await chooseBackend('tensorflow', async (name) =>
      name === '@tensorflow/tfjs' ? { default: fake } : missing(name),
    );
    expect(backend.name).toBe('@tensorflow/tfjs');
  });

  it('chooseBackend() gives tfjs-node the function it needs when Node has it no more', async () => {
    const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
    const kept = old.isNullOrUndefined;
    delete old.isNullOrUndefined;
    await chooseBackend('@tensorflow/tfjs-node', async () => {
      expect(old.isNullOrUndefined?.(null)).toBe(true);
      expect(old.isNullOrUndefined?.(0)).toBe(false);
      return fake;
    });
    old.isNullOrUndefined = kept;
  });

  it('chooseBackend() names what to install when none loads', async () => {
    const failure = await chooseBackend('tensorflow', missing).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GatewayError);
    const error = failure as GatewayError;
    expect(error.code).toBe('missing-tool');
    expect(error.hint).toBe('npm install @tensorflow/tfjs');
    expect(error.line()).not.toContain('\n');
  });

  it('listBackends() says what loads and why the rest does not', async () => {
    const statuses = await listBackends(async (name) =>
      name === '@tensorflow/tfjs' ? fake : missing(name),
    );
    expect(statuses).toEqual([
      { name: 'builtin', loads: true, detail: 'typed arrays' },
      { name: '@tensorflow/tfjs-node', loads: false, detail: 'not installed' },
      { name: '@tensorflow/tfjs', loads: true, detail: 'tensorflow' },
    ]);
  });

  it('listBackends() keeps to the first line of why a package that is there does not load', async () => {
    const [, native] = await listBackends(async () => {
      throw new Error('libtensorflow.so.2: cannot open shared object file\nRequire stack: …');
    });
    expect(native.detail).toBe('libtensorflow.so.2: cannot open shared object file');
  });

  it('chooseBackend() finds the package that is installed here', async () => {
    expect((await chooseBackend('@tensorflow/tfjs')).name).toBe('@tensorflow/tfjs');
    const statuses = await listBackends();
    expect(statuses.find(({ name }) => name === '@tensorflow/tfjs')).toMatchObject({ loads: true });
  });
});
