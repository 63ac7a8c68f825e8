-- Sends the requests of a plan in turn and prints one line of results.
-- A plan is a text: "METHOD PATH", header lines, an empty line, then one body per line (none for GET).
local requests, at = {}, 0

function init(args)
  local plan = assert(io.open(args[1]))
  local method, path = plan:read("*l"):match("^(%S+) (%S+)$")
  local headers = {}
  for line in plan:lines() do
    if line == "" then break end
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  for body in plan:lines() do
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  if #requests == 0 then requests[1] = wrk.format(method, path, headers) end
  plan:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
