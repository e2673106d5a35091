-- POST /register, each request with an address of its own.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  sent = 0
  run = args[1] or "run"
end

function request()
  sent = sent + 1
  local body = string.format('{"email":"bench-%s-%d-%d@example.com","password":"violet orbit candle 94"}', run, number, sent)
  return wrk.format("POST", "/register", { ["Content-Type"] = "application/json" }, body)
end
