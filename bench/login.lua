-- POST /login, going round the accounts that bench.py registered.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  accounts = tonumber(args[1])
  sent = number * 7
end

function request()
  sent = sent + 1
  local body = string.format('{"email":"login-%d@example.com","password":"violet orbit candle 94"}', sent % accounts)
  return wrk.format("POST", "/login", { ["Content-Type"] = "application/json" }, body)
end
