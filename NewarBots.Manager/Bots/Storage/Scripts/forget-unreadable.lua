-- Atomic: recovery is marked as incomplete before the bot leaves the index, so no reader takes it for a deleted bot.
redis.call('DEL', @complete)
redis.call('ZREM', @all, @id)
redis.call('ZREM', @changed, @id)
