import { type Config, green, join, yellow } from '../gateway-node.ts';
import type { Red, RedNode } from '../red.ts';
import { createWindows } from '../windows.ts';

interface PredictionsConfig extends Config {
  /** ids, comma-separated; '' is every device */
  devices: string;
  /** classes, comma-separated; '' is every class */
  classes: string;
  /** windows below this confidence only; '' is all */
  below: string;
  quarantined: boolean;
  unlabelled: boolean;
  /** with the samples of windows whose samples the gateway has */
  signal: boolean;
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Sends every window that the gateway stores, with what the device made of it. */
export default function whetstonePredictions(RED: Red): void {
  RED.nodes.registerType(
    'whetstone-predictions',
    function (this: RedNode, config: PredictionsConfig) {
      RED.nodes.createNode(this, config);
      const devices = listOf(config.devices);
      const classes = listOf(config.classes);
      const below = config.below ? Number(config.below) : undefined;
      let skipped = 0;
      const windows = createWindows({
        withSignal: config.signal === true,
        wants: (window) =>
          (devices.length === 0 || devices.includes(window.device)) &&
          (classes.length === 0 || classes.includes(String(window.predicted))) &&
          (below === undefined || (window.confidence ?? 1) < below) &&
          (config.quarantined === true || window.quarantine === null) &&
          (config.unlabelled !== true || window.label === null),
        send: (window) => {
          const { device, id, predicted } = window;
          this.send({ topic: device, payload: predicted, sample: `${device}/${id}`, window });
          const said = `${device}: ${predicted ?? '?'}`;
          member.say(skipped > 0 ? yellow(`${said}, ${skipped} left out`) : green(said));
        },
        failed: (error, window) => this.error(error, { topic: window.device, window }),
      });
      const member = join(RED, this, config, {
        state: (state) => windows.state(state),
        window: (window) => windows.push(window),
        skipped: (count) => {
          skipped += count;
        },
      });
      windows.use(member);
    },
  );
}
