-- Atomic: the record changes only if its version is the one that was read, together with its indexes, its claim and its messages.
if redis.call('HGET', @record, 'version') ~= @version then return 0 end
redis.call('HSET', @record, 'record', @json, 'version', @version + 1)
redis.call('ZADD', @changed, redis.call('INCR', @changes), @id)

if @isQueued == '0' then redis.call('ZREM', @queued, @id) end
if @scheduledScore ~= '' then
    redis.call('ZADD', @scheduled, @scheduledScore, @id)
    redis.call('ZADD', @scheduledOfUser, @scheduledScore, @id)
elseif @wasScheduled == '1' then
    redis.call('ZREM', @scheduled, @id)
    redis.call('ZREM', @scheduledOfUser, @id)
end
if @hasEnded == '1' then
    redis.call('ZREM', @active, @id)
    redis.call('ZADD', @ended, @endedScore, @id)
    if @expiryScore ~= '' then redis.call('ZADD', @expiring, @expiryScore, @id) end
elseif @isReopened == '1' then
    redis.call('ZADD', @active, 0, @id)
    redis.call('ZREM', @ended, @id)
    redis.call('ZREM', @expiring, @id)
end
if @occupiesMeeting == '0' then
    redis.call('ZREM', @activeOfUser, @id)
    if redis.call('GET', @claim) == @id then redis.call('DEL', @claim) end
end

if @transcriptDue ~= '' then redis.call('ZADD', @transcripts, @transcriptDue, @id) else redis.call('ZREM', @transcripts, @id) end
if @transcriptChanges ~= '' then redis.call('PUBLISH', @transcriptChanges, @id) end

local function append(message)
    local added = redis.pcall('XADD', @events, '*', 'message', message)
    if type(added) == 'table' and added.err then
        -- Recorders of earlier versions could append entries, also one with the highest id, which no other can follow. It must not keep the bot from ending.
        redis.call('DEL', @events)
        redis.call('XADD', @events, '*', 'message', message)
    end
end

for message in string.gmatch(@messages, '[^\n]+') do append(message) end
if @message ~= '' then
    append(@message)
    redis.call('PUBLISH', @channel, @message)
end
if @isEdited == '1' then redis.call('PUBLISH', @edits, @id) end
for event in string.gmatch(@webhookEvents, '[^\n]+') do redis.call('XADD', @outbox, '*', 'event', event) end
return 1
