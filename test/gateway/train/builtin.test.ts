import { describe, expect, it } from 'vitest';
import { builtin } from '../../../gateway/train/builtin.ts';
import { createNet } from '../../../gateway/train/net.ts';
import { backendContract, OPTIONS, SPECS, toyData, toyNet } from './backend-contract.ts';

describe('builtin', () => {
  backendContract(async () => builtin);

  it('gradients() agree with differences of the loss when a weight is moved', () => {
    const data = { ...toyData(7, 4), weight: Float32Array.of(1, 2, 0.5, 0, 1, 3, 0.2) };
    const options = { l2: [0.1, 0, 0.2, 0, 0.3, 0.4], labelSmoothing: 0.2 };
    const gradients = builtin.gradients(toyNet(), data, options);
    const lossWith = (tensor: number, index: number, by: number): number => {
      const net = toyNet();
      const tensors = net.layers.flatMap((l) => ('weights' in l ? [l.weights, l.bias] : []));
      tensors[tensor][index] += by;
      const logits = builtin.predict(net, data.x, data.n);
      let loss = 0;
      for (let s = 0; s < data.n; s++) {
        const row = [...logits.subarray(s * 3, s * 3 + 3)];
        const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
        row.forEach((z, c) => {
          const target = 0.2 / 3 + (c === data.y[s] ? 0.8 : 0);
          loss += (data.weight[s] * target * (logSum - z)) / data.n;
        });
      }
      net.layers.forEach((layer, l) => {
        if ('weights' in layer) {
          loss += (options.l2[l] / 2) * layer.weights.reduce((sum, w) => sum + w * w, 0);
        }
      });
      return loss;
    };
    const step = 1e-2;
    gradients.forEach((gradient, tensor) => {
      for (let i = 0; i < gradient.length; i += 3) {
        const slope = (lossWith(tensor, i, step) - lossWith(tensor, i, -step)) / (2 * step);
        expect(Math.abs(slope - gradient[i])).toBeLessThan(5e-3);
      }
    });
  });

  it('fit() lets other work run while it trains', async () => {
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    const net = createNet({ length: 12, channels: 2 }, SPECS, 1);
    // one epoch, long enough to need a breath inside
    const data = toyData(20_000, 1);
    for await (const _ of builtin.fit(net, data, { ...OPTIONS, epochs: 1, batch: 8 }))
      running = false;
    expect(turns).toBeGreaterThan(1);
  });

  it('predict() gives the same for one sample as for many', () => {
    const data = toyData(150, 6);
    const all = builtin.predict(toyNet(), data.x, 150);
    for (const s of [0, 63, 64, 149]) {
      const one = builtin.predict(toyNet(), data.x.slice(s * 24, (s + 1) * 24), 1);
      expect(all.slice(s * 3, s * 3 + 3)).toEqual(one);
    }
    expect(() => builtin.predict(toyNet(), data.x, 149)).toThrow(RangeError);
  });
});
