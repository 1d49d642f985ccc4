-- What the core uses of JavaScript, for Lua 5.1 to 5.3, as small as it can be.
--
-- A typed array of bytes is a table with one field: its string, or what is to be written into it
-- (pending), until the string is needed. What is cut out of one is a copy: the core never writes
-- through a view to see it in another. Its kind (1 unsigned, -1 signed) is its metatable's. Wider
-- arrays (2, 4 bytes; kind 0 for floats, which are never read from bytes) are views on strings that
-- are only read, or tables.

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

local methods, words, bytes = {}, {}, {}

-- An array of bytes.
local function made(kind, s)
  return setmetatable({ data = s }, bytes[kind])
end

-- An array of wider values.
local function wide(kind, length, data, from)
  return setmetatable({ kind = kind, length = length, data = data, from = from }, words)
end

-- The string of an array of bytes, with nothing pending.
local function settle(t)
  local wait = t.data
  if type(wait) == 'table' then
    local s = wait.s
    if wait.count > MANY then
      local out = {}
      for i = 1, #s do
        out[i] = char((wait[i] or byte(s, i)) % 256)
      end
      s = concat(out)
    else
      for i, value in pairs(wait) do
        if type(i) == 'number' then s = sub(s, 1, i - 1) .. char(value % 256) .. sub(s, i + 1) end
      end
    end
    t.data = s
  end
  return t.data
end

-- The bytes of any array as a string of their own.
local function bytesOf(t)
  local kind, n, data = t.kind, t.length, t.data
  if kind * kind == 1 then return settle(t) end
  local size = kind < 0 and -kind or kind
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

for kind = -1, 1, 2 do
  bytes[kind] = {
    __index = function(t, i)
      local data = t.data
      if type(i) == 'number' then
        local value
        if type(data) == 'table' then
          value = data[i + 1]
          if value then return value end
          data = data.s
        end
        value = i >= 0 and byte(data, i + 1) or nil
        return kind < 0 and value and value > 127 and value - 256 or value
      end
      if i == 'length' then return #(type(data) == 'table' and data.s or data) end
      if i == 'kind' then return kind end
      if i == 'buffer' then return settle(t) end
      return i == 'byteOffset' and 0 or methods[i]
    end,
    __newindex = function(t, i, value)
      local data = t.data
      if type(data) == 'string' then
        data = { s = data, count = 0 }
        t.data = data
      end
      if i < 0 or i >= #data.s then return end
      data[i + 1] = value
      data.count = data.count + 1
    end,
  }
end

words.__index = function(t, i)
  if type(i) ~= 'number' then
    if i == 'buffer' then return bytesOf(t) end
    return i == 'byteOffset' and 0 or methods[i]
  end
  if i < 0 or i >= t.length then return nil end
  local kind, data, from = t.kind, t.data, t.from
  if not data then return 0 end
  if type(data) == 'table' then return data[i + from] end
  local size, value = kind < 0 and -kind or kind, 0
  for at = from + (i + 1) * size, from + i * size + 1, -1 do value = value * 256 + byte(data, at) end
  local limit = 256 ^ size
  return kind < 0 and value >= limit / 2 and value - limit or value
end

words.__newindex = function(t, i, value)
  if i < 0 or i >= t.length then return end
  if t.data then t.data[i + t.from] = value else rawset(t, i, value) end
end

function methods.subarray(t, start, stop)
  local kind, length = t.kind, t.length
  if stop > length then stop = length end
  if start > stop then start = stop end
  if kind * kind == 1 then return made(kind, sub(settle(t), start + 1, stop)) end
  if t.data then return wide(kind, stop - start, t.data, t.from + start) end
  return wide(kind, stop - start, t, start)
end

local function listBytes(list)
  local out = {}
  for i = 1, #list do out[i] = char(list[i] % 256) end
  return concat(out)
end

function methods.set(t, values, at)
  local s = values.kind and bytesOf(values) or listBytes(values)
  local data, stop = settle(t), at + #s
  if stop > #data then error('range') end
  t.data = sub(data, 1, at) .. s .. sub(data, stop + 1)
end

function methods.fill(t, value)
  if t.kind * t.kind == 1 then
    t.data = rep(char(value % 256), t.length)
  else
    for i = 0, t.length - 1 do t[i] = value end
  end
  return t
end

function methods.indexOf(t, value, start)
  local at = find(settle(t), char(value), start + 1, true)
  return at and at - 1 or -1
end

-- `new`: of a length; of a string, which is what `buffer` gives; of an array or a list.
local function __new(kind, source, at, n)
  local isBytes = kind * kind == 1
  if type(source) == 'number' then
    return isBytes and made(kind, rep('\0', source)) or wide(kind, source, false, 0)
  end
  if type(source) == 'string' then
    if not at and isBytes then return made(kind, source) end
    local size = kind < 0 and -kind or kind ~= 0 and kind or 4
    at, n = at or 0, n or #source / size
    if not (n >= 0 and at + n * size <= #source) then error('range') end
    if not isBytes then return wide(kind, n, source, at) end
    local t = made(kind, sub(source, at + 1, at + n))
    rawset(t, 'byteOffset', at)
    return t
  end
  if isBytes then return made(kind, source.kind and bytesOf(source) or listBytes(source)) end
  local t = wide(kind, #source, false, 0)
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

local function __TS__ArrayMap(list, callback)
  local out = {}
  for i = 1, #list do out[i] = callback(false, list[i]) end
  return out
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

local function __TS__ArraySome(list, test)
  for i = 1, #list do
    if test(false, list[i]) then return true end
  end
  return false
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
    for i = 1, n do
      local x, y = byte(sa, i), byte(sb, i)
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

-- Signed weights as bytes counted from -128, so that no sign is looked for again; rows of n become
-- rows of a multiple of 8, filled up with zeros.
local function luaRecode(t, n)
  local data, out = settle(t), {}
  for i = 1, #data do
    out[#out + 1] = char((byte(data, i) + 128) % 256)
    if i % n == 0 then out[#out + 1] = rep('\128', -n % 8) end
  end
  return concat(out)
end

-- The bytes of an array with seven more: a row that is filled up reads so far.
local function luaPadded(t)
  return bytesOf(t) .. '\0\0\0\0\0\0\0'
end

-- Adds to each sum the products of n values with a row of weights: sums[r] += Σ data[at + i]·w[r][i].
-- Weights are `luaRecode`'s; the first row begins at w. Values stay in registers while all rows go
-- by, and up to 40 weights of a row come from one call: two instructions a product. What is read
-- behind the n values meets weights of zero.
local function luaProducts(data, at, weights, w, n, rows, sums)
  local stride = n + -n % 8
  local left = stride
  while left > 0 do
    local row, done = w, 8
    if left >= 40 then
      local x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19,
        x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30, x31, x32, x33, x34, x35, x36, x37,
        x38, x39, x40
        = byte(data, at + 1, at + 40)
      if x1 > 127 then x1 = x1 - 256 end
      if x2 > 127 then x2 = x2 - 256 end
      if x3 > 127 then x3 = x3 - 256 end
      if x4 > 127 then x4 = x4 - 256 end
      if x5 > 127 then x5 = x5 - 256 end
      if x6 > 127 then x6 = x6 - 256 end
      if x7 > 127 then x7 = x7 - 256 end
      if x8 > 127 then x8 = x8 - 256 end
      if x9 > 127 then x9 = x9 - 256 end
      if x10 > 127 then x10 = x10 - 256 end
      if x11 > 127 then x11 = x11 - 256 end
      if x12 > 127 then x12 = x12 - 256 end
      if x13 > 127 then x13 = x13 - 256 end
      if x14 > 127 then x14 = x14 - 256 end
      if x15 > 127 then x15 = x15 - 256 end
      if x16 > 127 then x16 = x16 - 256 end
      if x17 > 127 then x17 = x17 - 256 end
      if x18 > 127 then x18 = x18 - 256 end
      if x19 > 127 then x19 = x19 - 256 end
      if x20 > 127 then x20 = x20 - 256 end
      if x21 > 127 then x21 = x21 - 256 end
      if x22 > 127 then x22 = x22 - 256 end
      if x23 > 127 then x23 = x23 - 256 end
      if x24 > 127 then x24 = x24 - 256 end
      if x25 > 127 then x25 = x25 - 256 end
      if x26 > 127 then x26 = x26 - 256 end
      if x27 > 127 then x27 = x27 - 256 end
      if x28 > 127 then x28 = x28 - 256 end
      if x29 > 127 then x29 = x29 - 256 end
      if x30 > 127 then x30 = x30 - 256 end
      if x31 > 127 then x31 = x31 - 256 end
      if x32 > 127 then x32 = x32 - 256 end
      if x33 > 127 then x33 = x33 - 256 end
      if x34 > 127 then x34 = x34 - 256 end
      if x35 > 127 then x35 = x35 - 256 end
      if x36 > 127 then x36 = x36 - 256 end
      if x37 > 127 then x37 = x37 - 256 end
      if x38 > 127 then x38 = x38 - 256 end
      if x39 > 127 then x39 = x39 - 256 end
      if x40 > 127 then x40 = x40 - 256 end
      local less = 128 * (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 +
        x14 + x15 + x16 + x17 + x18 + x19 + x20 + x21 + x22 + x23 + x24 + x25 + x26 + x27 + x28 +
        x29 + x30 + x31 + x32 + x33 + x34 + x35 + x36 + x37 + x38 + x39 + x40)
      for r = 1, rows do
        local w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16, w17, w18,
          w19, w20, w21, w22, w23, w24, w25, w26, w27, w28, w29, w30, w31, w32, w33, w34, w35,
          w36, w37, w38, w39, w40
          = byte(weights, w + 1, w + 40)
        sums[r] = sums[r] - less + x1 * w1 + x2 * w2 + x3 * w3 + x4 * w4 + x5 * w5 + x6 * w6 +
          x7 * w7 + x8 * w8 + x9 * w9 + x10 * w10 + x11 * w11 + x12 * w12 + x13 * w13 +
          x14 * w14 + x15 * w15 + x16 * w16 + x17 * w17 + x18 * w18 + x19 * w19 + x20 * w20 +
          x21 * w21 + x22 * w22 + x23 * w23 + x24 * w24 + x25 * w25 + x26 * w26 + x27 * w27 +
          x28 * w28 + x29 * w29 + x30 * w30 + x31 * w31 + x32 * w32 + x33 * w33 + x34 * w34 +
          x35 * w35 + x36 * w36 + x37 * w37 + x38 * w38 + x39 * w39 + x40 * w40
        w = w + stride
      end
      done = 40
    elseif left >= 24 then
      local x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19,
        x20, x21, x22, x23, x24
        = byte(data, at + 1, at + 24)
      if x1 > 127 then x1 = x1 - 256 end
      if x2 > 127 then x2 = x2 - 256 end
      if x3 > 127 then x3 = x3 - 256 end
      if x4 > 127 then x4 = x4 - 256 end
      if x5 > 127 then x5 = x5 - 256 end
      if x6 > 127 then x6 = x6 - 256 end
      if x7 > 127 then x7 = x7 - 256 end
      if x8 > 127 then x8 = x8 - 256 end
      if x9 > 127 then x9 = x9 - 256 end
      if x10 > 127 then x10 = x10 - 256 end
      if x11 > 127 then x11 = x11 - 256 end
      if x12 > 127 then x12 = x12 - 256 end
      if x13 > 127 then x13 = x13 - 256 end
      if x14 > 127 then x14 = x14 - 256 end
      if x15 > 127 then x15 = x15 - 256 end
      if x16 > 127 then x16 = x16 - 256 end
      if x17 > 127 then x17 = x17 - 256 end
      if x18 > 127 then x18 = x18 - 256 end
      if x19 > 127 then x19 = x19 - 256 end
      if x20 > 127 then x20 = x20 - 256 end
      if x21 > 127 then x21 = x21 - 256 end
      if x22 > 127 then x22 = x22 - 256 end
      if x23 > 127 then x23 = x23 - 256 end
      if x24 > 127 then x24 = x24 - 256 end
      local less = 128 * (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 +
        x14 + x15 + x16 + x17 + x18 + x19 + x20 + x21 + x22 + x23 + x24)
      for r = 1, rows do
        local w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16, w17, w18,
          w19, w20, w21, w22, w23, w24
          = byte(weights, w + 1, w + 24)
        sums[r] = sums[r] - less + x1 * w1 + x2 * w2 + x3 * w3 + x4 * w4 + x5 * w5 + x6 * w6 +
          x7 * w7 + x8 * w8 + x9 * w9 + x10 * w10 + x11 * w11 + x12 * w12 + x13 * w13 +
          x14 * w14 + x15 * w15 + x16 * w16 + x17 * w17 + x18 * w18 + x19 * w19 + x20 * w20 +
          x21 * w21 + x22 * w22 + x23 * w23 + x24 * w24
        w = w + stride
      end
      done = 24
    elseif left >= 16 then
      local x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16
        = byte(data, at + 1, at + 16)
      if x1 > 127 then x1 = x1 - 256 end
      if x2 > 127 then x2 = x2 - 256 end
      if x3 > 127 then x3 = x3 - 256 end
      if x4 > 127 then x4 = x4 - 256 end
      if x5 > 127 then x5 = x5 - 256 end
      if x6 > 127 then x6 = x6 - 256 end
      if x7 > 127 then x7 = x7 - 256 end
      if x8 > 127 then x8 = x8 - 256 end
      if x9 > 127 then x9 = x9 - 256 end
      if x10 > 127 then x10 = x10 - 256 end
      if x11 > 127 then x11 = x11 - 256 end
      if x12 > 127 then x12 = x12 - 256 end
      if x13 > 127 then x13 = x13 - 256 end
      if x14 > 127 then x14 = x14 - 256 end
      if x15 > 127 then x15 = x15 - 256 end
      if x16 > 127 then x16 = x16 - 256 end
      local less = 128 * (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 +
        x14 + x15 + x16)
      for r = 1, rows do
        local w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16
          = byte(weights, w + 1, w + 16)
        sums[r] = sums[r] - less + x1 * w1 + x2 * w2 + x3 * w3 + x4 * w4 + x5 * w5 + x6 * w6 +
          x7 * w7 + x8 * w8 + x9 * w9 + x10 * w10 + x11 * w11 + x12 * w12 + x13 * w13 +
          x14 * w14 + x15 * w15 + x16 * w16
        w = w + stride
      end
      done = 16
    else
      local x1, x2, x3, x4, x5, x6, x7, x8
        = byte(data, at + 1, at + 8)
      if x1 > 127 then x1 = x1 - 256 end
      if x2 > 127 then x2 = x2 - 256 end
      if x3 > 127 then x3 = x3 - 256 end
      if x4 > 127 then x4 = x4 - 256 end
      if x5 > 127 then x5 = x5 - 256 end
      if x6 > 127 then x6 = x6 - 256 end
      if x7 > 127 then x7 = x7 - 256 end
      if x8 > 127 then x8 = x8 - 256 end
      local less = 128 * (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8)
      for r = 1, rows do
        local w1, w2, w3, w4, w5, w6, w7, w8
          = byte(weights, w + 1, w + 8)
        sums[r] = sums[r] - less + x1 * w1 + x2 * w2 + x3 * w3 + x4 * w4 + x5 * w5 + x6 * w6 +
          x7 * w7 + x8 * w8
        w = w + stride
      end
      done = 8
    end
    w = row + done
    at = at + done
    left = left - done
  end
end

-- The first values of a list as bytes.
local function luaBytes(list, n)
  if n < 33 then return char(unpack(list, 1, n)) end
  local out = {}
  for i = 1, n, 32 do
    out[#out + 1] = char(unpack(list, i, i + 31 < n and i + 31 or n))
  end
  return concat(out)
end

-- An array with a string of its own: what it was a view on may go.
local function luaOwn(t)
  t.data = bytesOf(t)
  if t.from then t.from = 0 end
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
  local data = settle(t)
  local high, low = 65535, 65535
  for i = 1, #data do
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

-- Bytes of lists in lists, see device/core/flat.ts.
local function luaPieces(part, out)
  if type(part) == 'number' then out[#out + 1] = char(wholeFloor(part) % 256)
  elseif type(part) == 'string' then out[#out + 1] = part
  elseif part.kind then out[#out + 1] = bytesOf(part)
  else
    for i = 1, #part do luaPieces(part[i], out) end
  end
  return out
end

local function luaFlat(_, parts)
  return made(1, concat(luaPieces(parts, {})))
end

local function luaErased(n)
  return rep('\255', n)
end

local function luaString(t)
  return bytesOf(t)
end
