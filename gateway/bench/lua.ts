import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { luaScript } from '../../device/build-lua.ts';
import { GatewayError } from '../errors.ts';
import { encodeLayers } from '../train/layer-codec.ts';
import type { BenchNet } from './nets.ts';

/** Times of one net on one Lua. */
export interface LuaTimes {
  net: string;
  /** µs an inference: the tier of NodeMCU, from an int8 array to an int8 array */
  tierUs: number;
  /** the same with weights in tables and two loops, as one writes it at first */
  plainUs: number;
}

/** How long each of the two runs, and how often; the fastest run counts. */
const RUN_S = 0.2;
const RUNS = 3;

const PROGRAM = `
  import { loadLayers } from '../core/model.ts';
  import { luaTier } from './tier.ts';
  declare let whetstone: unknown;
  whetstone = {
    load: (part: ArrayBuffer) => loadLayers(new Uint8Array(part)),
    input: (raw: ArrayBuffer) => new Int8Array(raw),
    run: luaTier.run,
    values: (raw: Int8Array) => {
      const list: number[] = [];
      for (let i = 0; i < raw.length; i++) list.push(raw[i]);
      return list;
    },
    word: (raw: Int32Array, i: number) => raw[i],
  };
`;

/* The peer: dense layers of tables of numbers, requantised by the one-floor formula. */
const PLAIN = `
local T = whetstone
local function hex(s) return (s:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)) end
local function plainOf(layers)
  local out = {}
  for i, layer in ipairs(layers) do
    local rows, size = layer.shape[1], layer.shape[0]
    local l = { rows = rows, size = size, weights = T:values(layer.weights), bias = {} }
    for r = 1, rows do l.bias[r] = T:word(layer.bias, r - 1) end
    l.multiplier, l.right = T:word(layer.multiplier, 0), -layer.right[0]
    l.zero, l.low, l.high = layer.head[3], layer.head[1], layer.head[15]
    out[i] = l
  end
  return out
end
local function plainRun(layers, x)
  local floor = math.floor
  for _, l in ipairs(layers) do
    local w, out, at = l.weights, {}, 0
    local scale = 2147483648 * 2 ^ l.right
    local plus = 1073741824 + scale / 2
    for r = 1, l.rows do
      local acc = l.bias[r]
      for i = 1, l.size do acc = acc + w[at + i] * x[i] end
      at = at + l.size
      local v = floor((acc * l.multiplier + plus - (acc < 0 and 2147483648 or 0)) / scale) + l.zero
      out[r] = v < l.low and l.low or v > l.high and l.high or v
    end
    x = out
  end
  return x
end
local function time(call)
  local best
  for _ = 1, RUNS do
    local n, start = 0, os.clock()
    repeat
      for _ = 1, 20 do call() end
      n = n + 20
    until os.clock() - start > RUN_S
    local each = (os.clock() - start) / n * 1e6
    if not best or each < best then best = each end
  end
  return best
end
for _, net in ipairs(NETS) do
  local plain = plainOf(T:load(hex(net.part)))
  local layers, input = T:load(hex(net.part)), T:input(hex(net.input))
  local x = T:values(input)
  local a, b = T:run(layers, input), plainRun(plain, x)
  for i, value in ipairs(b) do
    if a[i - 1] ~= value then error('the two do not give the same numbers') end
  end
  print(time(function() T:run(layers, input) end), time(function() plainRun(plain, x) end))
end
`;

/**
 * Times nets of dense layers on a Lua of this computer: the tier of NodeMCU beside a plain Lua loop,
 * in one run. Both must give the same numbers.
 *
 * @param command 'lua5.1' or 'lua5.3', or a path
 * @param nets dense, one scale a layer
 * @returns a row for each net
 * @throws GatewayError 'missing-tool' if it cannot be run or fails
 */
export async function benchLua(command: string, nets: readonly BenchNet[]): Promise<LuaTimes[]> {
  const path = 'device/nodemcu/bench.ts';
  const hex = (bytes: ArrayLike<number>): string =>
    `'${Buffer.from(Uint8Array.from(bytes)).toString('hex')}'`;
  const list = nets.map(({ layers, inputs }) => {
    const input = Int8Array.from({ length: inputs }, (_, i) => ((i * 37) % 251) - 125);
    return `{part=${hex(encodeLayers(layers, 0))},input=${hex(input)}}`;
  });
  const constants = `local RUN_S,RUNS,NETS=${RUN_S},${RUNS},{${list.join()}}`;
  const { code } = luaScript(path, { [path]: PROGRAM });
  const said = await run(command, `do ${code} end\n${constants}\n${PLAIN}`);
  return said
    .trim()
    .split('\n')
    .map((line, i) => {
      const [tierUs, plainUs] = line.split('\t').map(Number);
      return { net: nets[i]!.name, tierUs: tierUs!, plainUs: plainUs! };
    });
}

async function run(command: string, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'whetstone-bench-'));
  try {
    const script = join(folder, 'bench.lua');
    await writeFile(script, code, 'latin1');
    return await new Promise((resolve, reject) => {
      const child = spawn(command, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      let problem = '';
      child.stdout.on('data', (data: Buffer) => {
        output += data.toString();
      });
      child.stderr.on('data', (data: Buffer) => {
        problem += data.toString();
      });
      const fail = (why: string, cause?: unknown): void =>
        reject(
          new GatewayError('missing-tool', `${command} cannot be timed: ${why}`, {
            cause,
            hint: 'install it, for example: sudo apt-get install lua5.1',
          }),
        );
      child.on('error', (cause: NodeJS.ErrnoException) => fail(cause.code ?? cause.message, cause));
      child.on('close', (status) => {
        if (status === 0) resolve(output);
        else fail(problem.split('\n')[0] ?? `exit ${status}`);
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
