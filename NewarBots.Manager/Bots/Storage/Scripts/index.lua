-- Atomic: a record that changed since it was read is skipped, because that change has indexed it already.
if redis.call('HGET', @record, 'version') ~= @version then return end
if @endedScore ~= '' then redis.call('ZADD', @ended, @endedScore, @id) end
