-- Atomic: the record is written only if none exists or the known unreadable one is still there, together with its indexes and its claim.
local kind = redis.call('TYPE', @record).ok
if kind == 'hash' then
    local existing = redis.call('HGET', @record, 'record')
    if existing and existing ~= @unreadable then return 0 end
elseif kind ~= 'none' then
    redis.call('DEL', @record)
end

local function place(index, score)
    if score == '' then redis.call('ZREM', index, @id) else redis.call('ZADD', index, score, @id) end
end

redis.call('HSET', @record, 'record', @json, 'version', 1)
redis.call('ZADD', @changed, redis.call('INCR', @changes), @id)
-- The recorder's journal is read again from its beginning, which fills the stream.
redis.call('DEL', @events)
if @activeScore ~= '' then redis.call('SET', @claim, @id, 'NX') end
place(@all, 0)
place(@ofUser, 0)
place(@active, @activeScore)
place(@activeOfUser, @activeScore)
place(@queued, @queuedScore)
place(@scheduled, @scheduledScore)
place(@scheduledOfUser, @scheduledScore)
place(@ended, @endedScore)
place(@expiring, @expiryScore)
return 1
