-- What the core uses of JavaScript, for Lua 5.1 to 5.3, as small as it can be.
--
-- A typed array of bytes is a string with a kind: 1 for unsigned, -1 for signed. Views share the
-- string and copy nothing; what is written waits in a table (pending) until the string is needed.
-- Views are snapshots: the core never writes through one to see it in another. Wider arrays (2, 4
-- bytes; kind 0 for floats, which are never read from bytes) are views on strings that are only
-- read, or tables.

local byte, char, sub, rep, find = string.byte, string.char, string.sub, string.rep, string.find
local concat, unpack = table.concat, unpack or table.unpack
local wholeFloor = math.floor

-- Lua 5.3 counts in integers that wrap where JavaScript rounds: a floor stays a float there.
local __math_floor = math.type and function(value) return wholeFloor(value) / 1 end or wholeFloor
local __math_ceil = math.ceil
local __math_min = math.min
local __math_max = math.max
local __math_abs = math.abs
local __math_sqrt = math.sqrt

-- Values waiting at the same time for which the string is rebuilt instead of spliced.
local MANY = 8

local array, methods = {}, {}

local function made(kind, length, data, from)
  return setmetatable({ kind = kind, length = length, data = data, from = from }, array)
end

-- The string behind bytes, with nothing pending: they are its part behind `t.from`.
local function settle(t)
  local wait = t.data
  if type(wait) == 'table' then
    local s, from, n = wait.s, t.from, t.length
    if wait.count > MANY then
      local out = {}
      for i = 1, n do
        out[i] = char((wait[i] or byte(s, from + i)) % 256)
      end
      s = concat(out)
    else
      s = sub(s, from + 1, from + n)
      for i, value in pairs(wait) do
        if type(i) == 'number' then s = sub(s, 1, i - 1) .. char(value % 256) .. sub(s, i + 1) end
      end
    end
    t.data = s
    t.from = 0
  end
  return t.data
end

-- The bytes of any array as a string of their own.
local function bytesOf(t)
  local kind, n = t.kind, t.length
  local size = kind < 0 and -kind or kind
  local data = size == 1 and settle(t) or t.data
  if type(data) == 'string' then return sub(data, t.from + 1, t.from + n * size) end
  local out = {}
  for i = 0, n - 1 do
    local value = t[i]
    for _ = 1, size do
      out[#out + 1] = char(value % 256)
      value = wholeFloor(value / 256)
    end
  end
  return concat(out)
end

array.__index = function(t, i)
  if type(i) ~= 'number' then
    if i == 'buffer' then
      local s = bytesOf(t)
      t.data = s
      t.from = 0
      return s
    end
    return i == 'byteOffset' and t.from or methods[i]
  end
  if i < 0 or i >= t.length then return nil end
  local kind, data, from = t.kind, t.data, t.from
  local value, limit = 0, 256
  if kind * kind == 1 then
    if type(data) == 'table' then
      value = data[i + 1]
      if value then return value end
      data = data.s
    end
    value = byte(data, from + i + 1)
  elseif not data then
    return 0
  elseif type(data) == 'table' then
    return data[i + from]
  else
    local size = kind < 0 and -kind or kind
    for at = from + (i + 1) * size, from + i * size + 1, -1 do value = value * 256 + byte(data, at) end
    limit = 256 ^ size
  end
  if kind < 0 and value >= limit / 2 then return value - limit end
  return value
end

array.__newindex = function(t, i, value)
  if i < 0 or i >= t.length then return end
  local kind, data = t.kind, t.data
  if kind * kind == 1 then
    if type(data) == 'string' then
      data = { s = data, count = 0 }
      t.data = data
    end
    data[i + 1] = value
    data.count = data.count + 1
  elseif data then
    data[i + t.from] = value
  else
    rawset(t, i, value)
  end
end

function methods.subarray(t, start, stop)
  local kind = t.kind
  if stop > t.length then stop = t.length end
  if start > stop then start = stop end
  if kind * kind == 1 then return made(kind, stop - start, settle(t), t.from + start) end
  if t.data then return made(kind, stop - start, t.data, t.from + start) end
  return made(kind, stop - start, t, start)
end

local function listBytes(list)
  local out = {}
  for i = 1, #list do out[i] = char(list[i] % 256) end
  return concat(out)
end

function methods.set(t, values, at)
  local s = values.kind and bytesOf(values) or listBytes(values)
  local data, from, stop = settle(t), t.from, at + #s
  if stop > t.length then error('range') end
  t.data = sub(data, from + 1, from + at) .. s .. sub(data, from + stop + 1, from + t.length)
  t.from = 0
end

function methods.fill(t, value)
  if t.kind * t.kind == 1 then
    t.data = rep(char(value % 256), t.length)
    t.from = 0
  else
    for i = 0, t.length - 1 do t[i] = value end
  end
  return t
end

function methods.indexOf(t, value, start)
  local data, from = settle(t), t.from
  local at = find(data, char(value), from + start + 1, true)
  return at and at <= from + t.length and at - from - 1 or -1
end

-- `new`: of a length; of a string, which is what `buffer` gives; of an array or a list.
local function __new(kind, source, at, n)
  local bytes = kind * kind == 1
  if type(source) == 'number' then return made(kind, source, bytes and rep('\0', source), 0) end
  if type(source) == 'string' then
    local size = kind < 0 and -kind or kind ~= 0 and kind or 4
    n = n or #source
    at = at or 0
    if not (n >= 0 and at + n * size <= #source) then error('range') end
    return made(kind, n, source, at)
  end
  if bytes then
    local s = source.kind and bytesOf(source) or listBytes(source)
    return made(kind, #s, s, 0)
  end
  local t = made(kind, #source, false, 0)
  for i = 1, #source do t[i - 1] = source[i] end
  return t
end

local Int8Array, Uint8Array, Int16Array, Uint16Array = -1, 1, -2, 2
local Int32Array, Uint32Array, Float32Array = -4, 4, 0

local function __length(value)
  return type(value) == 'table' and value.kind and value.length or #value
end

local function __at(values, i)
  return values[values.kind and i or i + 1]
end

local integer = math.tointeger or function(value) return value end

-- A value as JavaScript's templates write it.
local function __text(value)
  if type(value) == 'table' then
    local out = {}
    for i = 1, __length(value) do out[i] = __text(__at(value, i - 1)) end
    return concat(out, ',')
  end
  if type(value) == 'number' then return tostring(integer(value + 0)) end
  return value and tostring(value) or ''
end

-- typescript-to-lua's library, as much of it as the core needs.

local function __TS__ArrayForEach(list, callback)
  for i = 1, #list do callback(false, list[i]) end
end

local function __TS__ArrayConcat(a, b)
  local out = {}
  for i = 1, #a do out[i] = a[i] end
  for i = 1, #b do out[#out + 1] = b[i] end
  return out
end

local function __TS__ArraySlice(list, start)
  local out = {}
  for i = start + 1, #list do out[#out + 1] = list[i] end
  return out
end

local function __TS__ArrayFindIndex(list, test)
  for i = 1, #list do
    if test(false, list[i]) then return i - 1 end
  end
  return -1
end

local function __TS__ArrayPush(list, ...)
  for i = 1, select('#', ...) do list[#list + 1] = (select(i, ...)) end
end

local function __TS__StringCharCodeAt(text, at)
  return byte(text, at + 1)
end

-- Where the values of an array wider than bytes lie, and from where on.
local function valuesOf(t)
  if type(t.data) == 'table' then return t.data, t.from end
  return t, 0
end

-- Σ a[i]·b[i] of two arrays.
local function luaDot(_, a, b)
  local sum, n = 0, a.length
  if a.kind * a.kind == 1 and b.kind * b.kind == 1 then
    local sa, sb = settle(a), settle(b)
    local fa, fb = a.from, b.from
    for i = 1, n do
      local x, y = byte(sa, fa + i), byte(sb, fb + i)
      if x > 127 then x = x - 256 end
      if y > 127 then y = y - 256 end
      sum = sum + x * y
    end
    return sum
  end
  local va, fa = valuesOf(a)
  local vb, fb = valuesOf(b)
  for i = 0, n - 1 do sum = sum + va[fa + i] * vb[fb + i] end
  return sum
end

-- Signed bytes as bytes counted from -128, so that no sign is looked for again: a string of its own,
-- with three more behind it, which a piece of four may read.
local function luaRecode(t)
  local data, from, out = settle(t), t.from, {}
  for i = 1, t.length do out[i] = char((byte(data, from + i) + 128) % 256) end
  return concat(out) .. '\0\0\0'
end

-- Adds to each sum the products of n values with a row of weights: sums[r] += Σ moving[at + i]·w[r][i].
-- Weights are `luaRecode`'s; row r begins at `first` + r·n. Sixteen values stay in registers while
-- all rows go by, and a row's sixteen weights come from one call: two instructions a product.
local function luaProducts(moving, at, weights, first, n, rows, sums)
  local data = settle(moving)
  at = moving.from + at
  local done = 0
  while done + 16 <= n do
    local a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q = byte(data, at + done + 1, at + done + 16)
    if a > 127 then a = a - 256 end
    if b > 127 then b = b - 256 end
    if c > 127 then c = c - 256 end
    if d > 127 then d = d - 256 end
    if e > 127 then e = e - 256 end
    if f > 127 then f = f - 256 end
    if g > 127 then g = g - 256 end
    if h > 127 then h = h - 256 end
    if i > 127 then i = i - 256 end
    if j > 127 then j = j - 256 end
    if k > 127 then k = k - 256 end
    if l > 127 then l = l - 256 end
    if m > 127 then m = m - 256 end
    if o > 127 then o = o - 256 end
    if p > 127 then p = p - 256 end
    if q > 127 then q = q - 256 end
    local less = 128 * (a + b + c + d + e + f + g + h + i + j + k + l + m + o + p + q)
    local w = first + done + 1
    for r = 1, rows do
      local A, B, C, D, E, F, G, H, I, J, K, L, M, O, P, Q = byte(weights, w, w + 15)
      sums[r] = sums[r] - less + a * A + b * B + c * C + d * D + e * E + f * F + g * G + h * H
        + i * I + j * J + k * K + l * L + m * M + o * O + p * P + q * Q
      w = w + n
    end
    done = done + 16
  end
  while done < n do
    local a, b, c, d = byte(data, at + done + 1, at + done + 4)
    local left = n - done
    if a > 127 then a = a - 256 end
    b = left > 1 and (b > 127 and b - 256 or b) or 0
    c = left > 2 and (c > 127 and c - 256 or c) or 0
    d = left > 3 and (d > 127 and d - 256 or d) or 0
    local less = 128 * (a + b + c + d)
    local w = first + done + 1
    for r = 1, rows do
      local A, B, C, D = byte(weights, w, w + 3)
      sums[r] = sums[r] - less + a * A + b * B + c * C + d * D
      w = w + n
    end
    done = done + 4
  end
end

-- The first values of a list as bytes.
local function luaBytes(list, n)
  local out = {}
  for i = 1, n, 32 do
    out[#out + 1] = char(unpack(list, i, i + 31 < n and i + 31 or n))
  end
  return concat(out)
end

-- An array with a string of its own: what it was a view on may go.
local function luaOwn(t)
  t.data = bytesOf(t)
  t.from = 0
end

-- Calls, and gives false where that fails.
local function luaAttempt(_, call)
  local done, value = pcall(call, false)
  return done and value
end

local bitXor = bit and bit.bxor
local loader = loadstring or load
local newer = not bitXor and loader('local a,b=... return a~b')

-- Exclusive or of two integers below 2^16: natively where there is a way, else bit by bit.
local xor16 = bitXor or newer or function(a, b)
  local out, place = 0, 1
  for _ = 1, 16 do
    local x, y = a % 2, b % 2
    if x ~= y then out = out + place end
    a, b, place = (a - x) / 2, (b - y) / 2, place * 2
  end
  return out
end

-- CRC-32 by half bytes: sixteen entries of four bytes, little-endian. Halves of 16 bits, since
-- NodeMCU's bit operators are signed.
local CRC = '\0\0\0\0\100\16\183\29\200\32\110\59\172\48\217\38\144\65\220\118\244\81\107\107\88\97\178\77\60\113\5\80\32\131\184\237\68\147\15\240\232\163\214\214\140\179\97\203\176\194\100\155\212\210\211\134\120\226\10\160\28\242\189\189'

local function luaCrc(_, t)
  local data, from = settle(t), t.from
  local high, low = 65535, 65535
  for i = from + 1, from + t.length do
    low = xor16(low, byte(data, i))
    for _ = 1, 2 do
      local index, rest = low % 16, high % 16
      local a, b, c, d = byte(CRC, index * 4 + 1, index * 4 + 4)
      low = xor16((low - index) / 16 + rest * 4096, a + 256 * b)
      high = xor16((high - rest) / 16, c + 256 * d)
    end
  end
  return (65535 - high) * 65536 + 65535 - low
end

local luaJoin = concat

local function luaErased(n)
  return rep('\255', n)
end

local function luaString(t)
  return bytesOf(t)
end
