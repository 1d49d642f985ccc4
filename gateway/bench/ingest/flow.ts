import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What the flow is told. */
export interface FlowSetup {
  t: 'setup';
  directory: string;
}

/** The part of Node-RED that is used; the package has no types. */
interface NodeRed {
  init(server: unknown, settings: Record<string, unknown>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  runtime: { events: { once(event: string, listener: () => void): void } };
}

/** Messages in one transaction at most, as in the gateway. */
const BATCH = 4096;

/**
 * The function node: collects what came in one turn of the event loop, inserts it in one transaction
 * (synchronous = FULL), then acknowledges, per device, the highest seq. What it has of Node is handed in
 * by `functionGlobalContext`, as the settings of such flows do.
 */
const FUNCTION = `
const door = global.get('door');
const commit = () => {
  const batch = door.batch;
  door.batch = [];
  const highest = new Map();
  door.db.exec('BEGIN IMMEDIATE');
  for (const { payload: w } of batch) {
    door.insert.run(w.device, w.session, w.seq, 'gesture', Date.now(), w.t, w.release, w.cls, w.score,
      w.length, w.embedding === null ? null : door.blob(w.embedding),
      w.window === null ? null : door.blob(w.window), w.label);
    if ((highest.get(w.index) ?? 0) < w.seq) highest.set(w.index, w.seq);
  }
  door.db.exec('COMMIT');
  node.send({ payload: JSON.stringify([...highest]) + '\\n', _session: batch[0]._session });
};
door.batch.push(msg);
if (door.batch.length === ${BATCH}) commit();
else if (door.batch.length === 1) door.soon(() => { if (door.batch.length > 0) commit(); });
return null;
`;

/**
 * Node-RED without its editor: core nodes `tcp in` (a line a message) → `json` → `function` → `tcp out`
 * (reply). Table: the same columns as the gateway's, unique by device, session and seq; no other index.
 * It neither authenticates, checks nor watches anything.
 */
async function open({ directory }: FlowSetup) {
  // a name that is not written out is not looked for by the type checker: there are no types
  const name = 'node-red';
  const { default: red } = (await import(name)) as { default: NodeRed };
  mkdirSync(directory, { recursive: true });
  const db = new DatabaseSync(join(directory, 'windows.db'));
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE windows (id INTEGER PRIMARY KEY, device TEXT NOT NULL, session INTEGER NOT NULL,
      seq INTEGER NOT NULL, task TEXT NOT NULL, at INTEGER NOT NULL, t INTEGER NOT NULL,
      release INTEGER NOT NULL, cls INTEGER NOT NULL, score INTEGER NOT NULL, length INTEGER NOT NULL,
      embedding BLOB, window BLOB, label INTEGER, UNIQUE (device, session, seq))`);
  const insert =
    db.prepare(`INSERT OR IGNORE INTO windows (device, session, seq, task, at, t, release,
    cls, score, length, embedding, window, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const port = await freePort();
  const common = { z: 'tab', x: 0, y: 0 };
  const tcp = { host: '', port: String(port), base64: false, tls: '' };
  const flows = [
    { id: 'tab', type: 'tab', label: 'windows' },
    {
      ...{ id: 'in', type: 'tcp in', ...common, server: 'server', ...tcp, wires: [['json']] },
      ...{ datamode: 'stream', datatype: 'utf8', newline: '\\n', topic: '', trim: false },
    },
    { id: 'json', type: 'json', ...common, property: 'payload', action: 'obj', wires: [['store']] },
    { id: 'store', type: 'function', ...common, func: FUNCTION, outputs: 1, wires: [['out']] },
    { id: 'out', type: 'tcp out', ...common, ...tcp, beserver: 'reply', end: false, wires: [] },
  ];
  writeFileSync(join(directory, 'flows.json'), JSON.stringify(flows));
  const blob = (values: number[]): Int8Array => Int8Array.from(values);
  red.init(createHttp(), {
    ...{ userDir: directory, flowFile: 'flows.json', httpAdminRoot: false, httpNodeRoot: false },
    functionGlobalContext: { door: { db, insert, blob, batch: [], soon: setImmediate } },
    logging: { console: { level: 'off', metrics: false, audit: false } },
    credentialSecret: false,
  });
  const started = new Promise<void>((resolve) => red.runtime.events.once('flows:started', resolve));
  await red.start();
  await started;
  const stored = (): number =>
    (db.prepare('SELECT count(*) AS n FROM windows').get() as { n: number }).n;
  return { port, stored, close: () => red.stop() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

process.once('disconnect', () => process.exit()); // whoever measures is gone
process.once('message', async (setup: FlowSetup) => {
  try {
    const { port, stored, close } = await open(setup);
    process.on('message', async ({ t }: { t: 'mark' | 'close' }) => {
      const { user, system } = process.cpuUsage();
      if (t === 'mark') process.send?.({ t, cpuUs: user + system, stored: stored() });
      else {
        await close();
        process.exit(0);
      }
    });
    process.send?.({ t: 'open', socket: port, secrets: [], version: '' });
  } catch (error) {
    process.send?.({ t: 'failed', why: (error as Error).message });
  }
});
