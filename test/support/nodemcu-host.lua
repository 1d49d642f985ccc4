-- A double of a NodeMCU board for plain Lua: uart, tmr, file and node by their documented names, over
-- standard input and output. It is a double: what it cannot show is the board's own timing, memory
-- and file system. Time is virtual; each line on standard input is a command, answered by lines and
-- a full stop:
--
--   a MS        time goes by           u HEX     bytes arrive at the uart
--   w N CSV     a finished window      l N LABEL CSV     one with a label
--   s X,Y,Z     a sample               m         bytes of Lua's heap after full collections
--   x LUA       runs a line of Lua
--
-- Answers: `u HEX` bytes sent, `p CLS SCORE` a prediction, `m N`, `x TEXT`.

local bundle, id = arg[1], arg[2]
local now, timers = 0, {}

local function unhex(s)
  return (s:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end))
end

local function say(...)
  io.write(...)
  io.write('\n')
end

tmr = { ALARM_SINGLE = 0, ALARM_AUTO = 1 }
function tmr.now() return now % 2147483648 end
function tmr.create()
  return {
    alarm = function(_, ms, mode, callback)
      table.insert(timers, { due = now + ms * 1000, ms = ms, mode = mode, callback = callback })
      return true
    end,
  }
end

local function pass(ms)
  local stop = now + ms * 1000
  while true do
    local first
    for i, timer in ipairs(timers) do
      if timer.due <= stop and (not first or timer.due < timers[first].due) then first = i end
    end
    if not first then break end
    local timer = timers[first]
    now = timer.due
    if timer.mode == tmr.ALARM_AUTO then timer.due = timer.due + timer.ms * 1000
    else table.remove(timers, first) end
    timer.callback()
  end
  now = stop
end

local receive
uart = {
  on = function(event, count, callback, run)
    assert(event == 'data' and count == 0 and run == 0)
    receive = callback
  end,
  write = function(port, data)
    assert(port == 0)
    say('u ', (data:gsub('.', function(c) return ('%02x'):format(c:byte()) end)))
  end,
}

-- ESP8266 has file.open; ESP32 has the same objects from io.open, and no file.open.
local open = io.open
if os.getenv('WITHOUT_FILE') then
  file, withoutRandom = {}, true
  io.open = function(name, mode) return open(name, mode .. 'b') end
else
  file = { open = function(name, mode) return open(name, mode .. 'b') end }
end
node = {
  uptime = function() return now end,
  random = function(low, high)
    local source = assert(open('/dev/urandom', 'rb'))
    local a, b, c, d = source:read(4):byte(1, 4)
    source:close()
    return low + (a + 256 * (b + 256 * (c + 128 * (d % 128)))) % (high - low)
  end,
}
if withoutRandom then node.random, tmr.now = nil, nil end
if os.getenv('WITH_BIT') then
  -- NodeMCU's: 32 bits, and the answer is signed.
  bit = {
    bxor = function(a, b)
      local out, place = 0, 1
      for _ = 1, 32 do
        if a % 2 ~= b % 2 then out = out + place end
        a, b, place = math.floor(a / 2), math.floor(b / 2), place * 2
      end
      return out < 2147483648 and out or out - 4294967296
    end,
  }
end

local function heap()
  for _ = 1, 4 do collectgarbage() end
  return math.floor(collectgarbage('count') * 1024)
end

-- Lua's table of strings doubles when it is full, and the strings of the code are in it; in NodeMCU's
-- flash store they are not. It is made large enough before anything is counted.
do
  local strings = {}
  for i = 1, 1500 do strings[i] = 'filler ' .. i end
end
local before = heap()
local chunk = assert(loadfile(bundle))
local loaded = heap()
chunk()
whetstone({ id = id })
W.on = function(cls, score) say('p ', cls, ' ', score) end
say('.')
io.flush()

local function list(csv)
  local values = {}
  for value in csv:gmatch('-?%d+') do values[#values + 1] = tonumber(value) end
  return values
end

for line in io.lines() do
  local command, rest = line:sub(1, 1), line:sub(3)
  if command == 'a' then pass(tonumber(rest))
  elseif command == 'u' then receive(unhex(rest))
  elseif command == 'w' then
    local n, csv = rest:match('^(%d+) (.*)$')
    W.window(list(csv), tonumber(n))
  elseif command == 'l' then
    local n, label, csv = rest:match('^(%d+) (%d+) (.*)$')
    W.window(list(csv), tonumber(n), tonumber(label))
  elseif command == 's' then W.sample(list(rest))
  elseif command == 'm' then say('m ', before, ' ', loaded, ' ', heap())
  elseif command == 'x' then say('x ', tostring(assert((loadstring or load)(rest))()))
  end
  say('.')
  io.flush()
end
