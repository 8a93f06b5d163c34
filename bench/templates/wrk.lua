-- One request for each rule, in turn. @…@ is filled in by `cargo xtask bench`.
local asked = {
@REQUESTS@
}
local requests, number, count = {}, 0, #asked

function init(arguments)
   for index, one in ipairs(asked) do
      local headers = { Host = one[2] }
      headers["x-tenant"] = one[3]
      requests[index] = wrk.format("GET", one[1], headers)
   end
end

function request()
   number = number % count + 1
   return requests[number]
end
