-- Atomic: a scheduled bot takes its meeting and its place in the quota together with its new status, or keeps waiting.
if redis.call('HGET', @record, 'version') ~= @version then return {'changed', ''} end
local holder = redis.call('GET', @claim)
if holder then return {'claimed', holder} end
if @userLimit ~= '' and redis.call('ZCARD', @activeOfUser) >= tonumber(@userLimit) then return {'over quota', ''} end

redis.call('HSET', @record, 'record', @json, 'version', @version + 1)
redis.call('ZADD', @changed, redis.call('INCR', @changes), @id)
redis.call('ZREM', @scheduled, @id)
redis.call('ZREM', @scheduledOfUser, @id)
redis.call('ZADD', @active, 0, @id)
redis.call('ZADD', @activeOfUser, 0, @id)
redis.call('ZADD', @queued, @queuedScore, @id)
redis.call('SET', @claim, @id)
redis.call('XADD', @events, '*', 'message', @message)
redis.call('PUBLISH', @channel, @message)
for event in string.gmatch(@webhookEvents, '[^\n]+') do redis.call('XADD', @outbox, '*', 'event', event) end
return {'started', ''}
