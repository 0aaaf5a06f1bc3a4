-- wrk: random requests of one kind. BENCH_OPERATION names it; BENCH_TOKENS and BENCH_POSTS are files, an item a line.
local function lines(path)
    local list = {}
    for line in io.lines(path) do list[#list + 1] = line end
    return list
end

local operation = os.getenv("BENCH_OPERATION")
local tokens = lines(os.getenv("BENCH_TOKENS"))
local posts = lines(os.getenv("BENCH_POSTS"))
local text = string.rep("measure ", 17) .. "1234" -- 140 characters

local function authorized(more)
    local headers = { Host = "127.0.0.1", Authorization = "Bearer " .. tokens[math.random(#tokens)] }
    for name, value in pairs(more or {}) do headers[name] = value end
    return headers
end

local json = { ["Content-Type"] = "application/json" }
local kinds = {
    ["GET post"] = function()
        return wrk.format("GET", "/v1/posts/" .. posts[math.random(#posts)], authorized())
    end,
    ["home timeline"] = function()
        return wrk.format("GET", "/v1/timelines/home", authorized())
    end,
    ["POST post"] = function()
        return wrk.format("POST", "/v1/posts", authorized(json), '{"text":"' .. text .. '"}')
    end,
    ["login"] = function()
        local name = string.format("user%05d", math.random(0, #tokens - 1))
        local headers = { Host = "127.0.0.1", ["Content-Type"] = "application/json" }
        return wrk.format(
            "POST", "/v1/auth/login", headers, '{"username":"' .. name .. '","password":"correct horse"}')
    end,
}

function init()
    -- Another sequence for each thread and run: a table's address is random.
    math.randomseed(os.time() + (tonumber(tostring({}):match("0x(%x+)"), 16) or 0) % 65536)
end

request = kinds[operation]
