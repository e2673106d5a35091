-- POST /refresh: each thread has one connection and one session, whose token is the one that the last answer brought.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local line_number = 0
  for line in io.lines(args[1]) do
    if line_number == number then token = line end
    line_number = line_number + 1
  end
end

function request()
  return wrk.format("POST", "/refresh", { ["Content-Type"] = "application/json" }, '{"refresh_token":"' .. token .. '"}')
end

function response(status, headers, body)
  if status == 200 then token = body:match('"refresh_token":"([^"]+)"') end
end
