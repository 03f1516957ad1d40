-- Atomic: the limits and the claim on the meeting are checked and taken in one step, so concurrent requests cannot exceed or share them.
if @idempotency ~= '' then
    local seen = redis.call('GET', @idempotency)
    if seen then return {'repeated', seen} end
end
if @isTooLate == '1' then return {'too late', ''} end
if @recordLimit ~= '' and redis.call('ZCARD', @ofUser) >= tonumber(@recordLimit) then return {'too many on record', ''} end

if @scheduledScore ~= '' then
    if @scheduledLimit ~= '' and redis.call('ZCARD', @scheduledOfUser) >= tonumber(@scheduledLimit) then return {'too many scheduled', ''} end
    redis.call('ZADD', @scheduled, @scheduledScore, @id)
    redis.call('ZADD', @scheduledOfUser, @scheduledScore, @id)
else
    local holder = redis.call('GET', @claim)
    if holder then return {'claimed', holder} end
    if @userLimit ~= '' and redis.call('ZCARD', @activeOfUser) >= tonumber(@userLimit) then return {'over quota', ''} end
    if @queueLimit ~= '' and redis.call('ZCARD', @queued) >= tonumber(@queueLimit)
        and redis.call('ZCARD', @active) >= tonumber(@queueLimit) + tonumber(@places) then return {'queue full', ''} end
    redis.call('ZADD', @active, 0, @id)
    redis.call('ZADD', @activeOfUser, 0, @id)
    redis.call('ZADD', @queued, @queuedScore, @id)
    redis.call('SET', @claim, @id)
end

redis.call('HSET', @record, 'record', @json, 'version', 1)
redis.call('ZADD', @changed, redis.call('INCR', @changes), @id)
redis.call('ZADD', @all, 0, @id)
redis.call('ZADD', @ofUser, 0, @id)
if @idempotency ~= '' then
    redis.call('SET', @idempotency, @bodyHash .. ' ' .. @id, 'EX', @idempotencySeconds)
    redis.call('HSET', @record, 'idempotency', @idempotency)
end
redis.call('XADD', @events, '*', 'message', @message)
redis.call('PUBLISH', @channel, @message)
for event in string.gmatch(@webhookEvents, '[^\n]+') do redis.call('XADD', @outbox, '*', 'event', event) end
return {'created', @id}
