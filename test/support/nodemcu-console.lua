-- A thin double of a NodeMCU board with its console: uart, tmr, file, node and gpio by their documented
-- names, over standard input and output, on a real Lua. It boots as a board does: prompt, then init.lua.
-- The file system is the folder it runs in; the flash store is the file lfs.img there. Each line on
-- standard input is a command: `u HEX` bytes arrive at the uart, `a MS` time goes by, `g N` the pins'
-- level, `x LUA` runs Lua beside the console; answers are `u HEX` bytes sent and `x TEXT`.
-- Exit status 7 is a restart.

local now, timers, level = 0, {}, 1
local open = io.open
local load = loadstring or load

local function unhex(s)
  return (s:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end))
end
local function say(...)
  io.write(...)
  io.write('\n')
  io.flush()
end
local function send(data)
  if #data > 0 then
    say('u ', (data:gsub('.', function(c) return ('%02x'):format(c:byte()) end)))
  end
end

tmr = { ALARM_SINGLE = 0, ALARM_AUTO = 1 }
function tmr.now() return now % 2147483648 end
function tmr.create()
  local timer = {}
  function timer.alarm(_, ms, mode, callback)
    timer.due, timer.ms, timer.mode, timer.callback = now + ms * 1000, ms, mode, callback
    timers[#timers + 1] = timer
    return true
  end
  function timer.unregister()
    for i, other in ipairs(timers) do
      if other == timer then table.remove(timers, i) break end
    end
  end
  return timer
end

local function fail(problem) send('stdin:1: ' .. tostring(problem) .. '\r\n') end

local function pass(ms)
  local stop = now + ms * 1000
  while true do
    local first
    for _, timer in ipairs(timers) do
      if timer.due <= stop and (not first or timer.due < first.due) then first = timer end
    end
    if not first then break end
    now = first.due
    if first.mode == tmr.ALARM_AUTO then first.due = first.due + first.ms * 1000
    else first.unregister() end
    local ok, problem = pcall(first.callback)
    if not ok then fail(problem) end
  end
  now = stop
end

local receive
uart = {
  on = function(event, count, callback, run)
    assert(event == 'data' and (callback == nil or (count == 0 and run == 0)))
    receive = callback
  end,
  write = function(port, data)
    assert(port == 0)
    send(data)
  end,
}

local function isThere(name)
  local found = open(name, 'rb')
  if found then found:close() end
  return found ~= nil
end
file = {
  open = function(name, mode) return open(name, mode .. 'b') end,
  exists = isThere,
  remove = os.remove,
  rename = os.rename,
}
if os.getenv('WITHOUT_FILE') then
  file.open, io.open = nil, function(name, mode) return open(name, mode .. 'b') end
end
local function restart() os.exit(7) end
node = {
  uptime = function() return now end,
  chipid = function() return 1234567 end,
  restart = restart,
  random = function(low, high)
    local source = assert(open('/dev/urandom', 'rb'))
    local a, b, c, d = source:read(4):byte(1, 4)
    source:close()
    return low + (a + 256 * (b + 256 * (c + 128 * (d % 128)))) % (high - low)
  end,
  flashreload = function(name)
    local image = assert(open(name, 'rb'))
    local store = assert(open('lfs.img', 'wb'))
    store:write(image:read('*a'))
    store:close()
    restart()
  end,
  flashindex = function(name)
    return name == 'ws' and loadfile('lfs.img') or nil
  end,
}
if os.getenv('WITHOUT_FILE') then node.random, node.flashreload, node.flashindex, tmr.now = nil end
gpio = { INPUT = 0, mode = function() end, read = function() return level end }

print = function(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end
  send(table.concat(parts, '\t') .. '\r\n')
end

-- The console: echo, a line of 255 characters at most, an error without an end of the world.
local typed = ''
local function run(line)
  local chunk, problem = load(line, '=stdin')
  if chunk then
    local ok, thrown = pcall(chunk)
    if not ok then fail(thrown) end
  else fail(problem) end
  send('> ')
end
local function hear(data)
  local at = 1
  while at <= #data do
    if receive then return receive(data:sub(at)) end
    local char = data:sub(at, at)
    at = at + 1
    if char == '\n' then
      local line = typed
      typed = ''
      send('\r\n')
      run(line)
    elseif char:byte() >= 32 and #typed < 255 then
      typed = typed .. char
      send(char)
    end
  end
end

if isThere('init.lua') then
  local ok, problem = pcall(dofile, 'init.lua')
  if not ok then fail(problem) end
end
send('\r\nNodeMCU double\r\n> ')

for line in io.lines() do
  local command, rest = line:sub(1, 1), line:sub(3)
  if command == 'u' then hear(unhex(rest))
  elseif command == 'a' then pass(tonumber(rest))
  elseif command == 'g' then level = tonumber(rest)
  elseif command == 'x' then
    local ok, value = pcall(assert(load(rest)))
    say('x ', tostring(value))
  end
end
