import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import WebSocket from 'ws';
import { buildPalette } from '../../node-red-flows/build.ts';
import { prepareUserDir } from '../../node-red-flows/user-dir.ts';

const root = join(import.meta.dirname, '../..');

export interface NodeRed {
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  /** what it logged */
  log(): string;
  /** Deploys all of these nodes. */
  deploy(nodes: object[], credentials?: Record<string, object>): Promise<void>;
  /** Lets an inject node send a message. */
  inject(id: string, message: object): Promise<void>;
  /** Presses the button of an inject node. */
  press(id: string): Promise<void>;
  /** Messages that a debug node was given, the oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: messages of flows are of any shape
  messages(debug: string): any[];
  /** Waits until a debug node has so many messages; gives them. */
  // biome-ignore lint/suspicious/noExplicitAny: messages of flows are of any shape
  until(debug: string, count: number): Promise<any[]>;
  status(id: string): string | undefined;
  statusIs(id: string, text: string | RegExp): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a Node-RED of its own, with the palette linked into an empty user folder.
 *
 * @param given a user folder that is ready, with its settings file
 */
export async function startNodeRed(given?: { dir: string; settings: string }): Promise<NodeRed> {
  const dir = given?.dir ?? mkdtempSync(join(tmpdir(), 'whetstone-node-red-'));
  if (given === undefined) await buildPalette();
  const settings = given?.settings ?? prepareUserDir({ dir, port: 0, flows: [] });
  const program = join(root, 'node_modules/node-red/red.js');
  const child = spawn(process.execPath, [program, '--settings', settings, '--userDir', dir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // where it looks for palettes besides the user folder: nowhere
    cwd: dir,
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log += String(chunk);
    });
  }
  const url = await said(child, () => log, /Server now running at (http:\S+?)\/?\s/);
  const heard = new Map<string, unknown[]>();
  const statuses = new Map<string, string>();
  const comms = await listen(url, (topic, data) => {
    if (topic === 'debug') {
      const { id, msg, format } = data as { id: string; msg: string; format: string };
      heard.set(id, [
        ...(heard.get(id) ?? []),
        /^(Object|array)/.test(format) ? JSON.parse(msg) : msg,
      ]);
    } else if (topic.startsWith('status/')) {
      statuses.set(topic.slice(7), (data as { text?: string }).text ?? '');
    }
  });
  const messages = (id: string): unknown[] => heard.get(id) ?? [];
  const wait = { timeout: 20_000, interval: 30 };
  return {
    ...{ url, dir, pid: child.pid!, log: () => log },
    async deploy(nodes, credentials = {}) {
      heard.clear();
      statuses.clear();
      const flows = nodes.map((node) => {
        const { id } = node as { id: string };
        return credentials[id] === undefined ? node : { ...node, credentials: credentials[id] };
      });
      const response = await fetch(`${url}/flows`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'node-red-deployment-type': 'full',
          'node-red-api-version': 'v1',
        },
        body: JSON.stringify(flows),
      });
      expect(response.status, await response.text()).toBe(204);
    },
    async inject(id, message) {
      const props = Object.entries(message).map(([p, value]) => ({
        ...{ p, v: JSON.stringify(value), vt: 'json' },
      }));
      const response = await fetch(`${url}/inject/${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ __user_inject_props__: props }),
      });
      expect(response.status).toBe(200);
    },
    async press(id) {
      expect((await fetch(`${url}/inject/${id}`, { method: 'POST' })).status).toBe(200);
    },
    messages,
    async until(id, count) {
      await vi.waitFor(() => expect(messages(id).length).toBeGreaterThanOrEqual(count), wait);
      return messages(id);
    },
    status: (id) => statuses.get(id),
    statusIs: (id, text) =>
      vi.waitFor(() => {
        if (typeof text === 'string') expect(statuses.get(id)).toBe(text);
        else expect(statuses.get(id)).toMatch(text);
      }, wait),
    async close() {
      comms.terminate();
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
      if (given === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

function said(child: ChildProcess, log: () => string, what: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      const found = what.exec(log());
      if (found === null) return;
      clearInterval(timer);
      resolve(found[1]!);
    }, 30);
    child.once('close', () => {
      clearInterval(timer);
      reject(new Error(`Node-RED ended: ${log()}`));
    });
  });
}

/** The editor's own channel: what debug nodes are given, and what nodes show. */
async function listen(url: string, hear: (topic: string, data: unknown) => void) {
  const comms = new WebSocket(`${url.replace('http', 'ws')}/comms`);
  await new Promise((resolve, reject) => comms.on('open', resolve).on('error', reject));
  comms.on('message', (text) => {
    const all = JSON.parse(String(text));
    for (const { topic, data } of Array.isArray(all) ? all : [all]) hear(topic, data);
  });
  for (const topic of ['debug', 'status/#']) comms.send(JSON.stringify({ subscribe: topic }));
  return comms;
}

/** Nodes of a test's flow. */
export const tab = { id: 'tab', type: 'tab', label: 'test' };
export const gatewayAt = (url: string, more: object = {}): object => ({
  ...{ id: 'gw', type: 'whetstone-gateway', name: '', url, caFile: '' },
  ...more,
});
const on = (id: string, type: string, wires: string[][], more: object): object => ({
  // without a place it would be a configuration node
  ...{ id, type, z: 'tab', name: '', x: 100, y: 100, wires },
  ...more,
});
export const inject = (id: string, to: string): object =>
  on(id, 'inject', [[to]], { props: [], once: false });
export const debug = (id: string): object =>
  on(id, 'debug', [], {
    ...{ active: true, tosidebar: true, console: false, tostatus: false },
    ...{ complete: 'true', targetType: 'full' },
  });
export const catching = (id: string, to: string): object =>
  on(id, 'catch', [[to]], { scope: null, uncaught: false });
/** A node of the palette, with the gateway of {@link gatewayAt}. */
export const whetstone = (id: string, kind: string, wires: string[][], more: object = {}): object =>
  on(id, `whetstone-${kind}`, wires, { gateway: 'gw', ...more });
