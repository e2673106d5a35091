-- POST /refresh: each thread has its share of the sessions; a request takes the token of one that has no request
-- under way, and the answer brings the next.
-- arguments: a file of tokens, the number of threads
local threads = {}
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end
function init(args)
  tokens, looked_at = {}, number ~= 0  -- wrk makes one request of the first thread to look at it
  local line_number, count = 0, tonumber(args[2])
  for line in io.lines(args[1]) do
    if line_number % count == number then table.insert(tokens, line) end
    line_number = line_number + 1
  end
  before = "POST /refresh HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
end
function request()
  local token = looked_at and table.remove(tokens) or tokens[1]
  looked_at = true
  local body = '{"refresh_token":"' .. token .. '"}'
  return before .. #body .. "\r\n\r\n" .. body
end
function response(status, headers, body)
  if status == 200 then table.insert(tokens, (body:match('"refresh_token":"([^"]+)"'))) end
end
