import { onTestFinished } from 'vitest';
import { type Api, serveApi } from '../../gateway/api/server.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { realClock } from '../../gateway/link/port.ts';
import { createService } from '../../gateway/service.ts';
import type { Task } from '../../gateway/task.ts';
import { encodeModel, goldenVectors, type QuantModel } from '../../gateway/train/model.ts';
import { meta } from '../gateway/registry/support.ts';

/** A gateway with a registry and an API, and no devices; closed after the test. */
export async function modelGateway(task: Task): Promise<Composed & { api: Api }> {
  const gateway = compose({
    ...{ task, directory: ':memory:', clock: realClock, automatic: false, seed: 1 },
  });
  const service = createService(gateway, { sentence: 'no devices', startedAt: 0 });
  const api = await serveApi(service.call, { port: 0 });
  onTestFinished(async () => {
    await api.close();
    service.close();
    await gateway.close();
  });
  return { ...gateway, api };
}

/** Registers a model as training would have. */
export function registerModel({ registry, task }: Composed, model: QuantModel): string {
  const parts = encodeModel(model);
  const values = task.window.samples * task.sensor.axes.length;
  const { seed, count, outputs } = goldenVectors(parts, values, 7, 2);
  const golden = { seed, count, outputs: Int8Array.from(outputs) };
  return registry.register(parts, meta({ task: task.name, golden }), null);
}
