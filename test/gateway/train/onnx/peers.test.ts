import { describe, expect, it } from 'vitest';
import { litertRunner, onnxRunner, type Peer } from '../../../../gateway/bench/peers.ts';
import { syntheticRecordings } from '../../../../gateway/synthetic/recordings.ts';
import { createEmbedder } from '../../../../gateway/train/model.ts';
import { writeOnnx } from '../../../../gateway/train/onnx/write-onnx.ts';
import type { QuantLayer } from '../../../../gateway/train/quant-layer.ts';
import { layerRunner } from '../../../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../../../gateway/train/tflite/write-tflite.ts';
import { ann, bob } from '../../../support/people.ts';
import { trainedModels } from '../../../support/trained-models.ts';

const models = await trainedModels();

/** Greatest difference from our kernel, and the share of values that are equal. */
async function compare(
  layers: QuantLayer[],
  peer: Peer,
  inputs: Int8Array[],
): Promise<{ most: number; equal: number }> {
  if ('skipped' in peer) throw new Error(peer.skipped);
  const run = layerRunner(layers);
  const apart: number[] = [];
  for (const input of inputs) {
    const theirs = await peer.run(input);
    run(input).forEach((value, i) => {
      apart.push(Math.abs(value - theirs[i]!));
    });
  }
  peer.close();
  const equal = apart.filter((difference) => difference === 0).length / apart.length;
  return { most: Math.max(...apart), equal };
}

describe.each([
  ['LiteRT', (layers: QuantLayer[]) => litertRunner(writeTflite(layers))],
  ['ONNX Runtime', (layers: QuantLayer[]) => onnxRunner(writeOnnx(layers))],
])('what is exported, run by %s', (runtime, peerOf) => {
  it.for(models)(
    'gives the same within a step for $name',
    async ({ model, task }, { annotate }) => {
      const embed = createEmbedder(model, 0);
      const inputs = [ann, bob].flatMap((wearer) =>
        syntheticRecordings(task, wearer, 8, 77).map(({ window, length }) => embed(window, length)),
      );
      const { most, equal } = await compare(model.layers, await peerOf(model.layers), inputs);
      await annotate(`${runtime}: ${(100 * equal).toFixed(1)} % of the values are equal`);
      expect(most).toBeLessThanOrEqual(1);
      expect(equal).toBeGreaterThan(0.9);
    },
  );
});
