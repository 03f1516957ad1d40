-- Atomic: the record disappears together with its index entries. The idempotency key goes too, unless another bot uses it by now.
local seen = @idempotency ~= '' and redis.call('GET', @idempotency)
if seen and string.sub(seen, -string.len(@id) - 1) == ' ' .. @id then redis.call('DEL', @idempotency) end
redis.call('DEL', @record, @events)
redis.call('ZREM', @all, @id)
redis.call('ZREM', @changed, @id)
redis.call('ZREM', @ended, @id)
redis.call('ZREM', @expiring, @id)
redis.call('ZREM', @transcripts, @id)
redis.call('ZREM', @ofUser, @id)
redis.call('PUBLISH', @channel, @id .. ' ' .. @user)
