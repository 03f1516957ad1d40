-- Atomic: a record is created and deleted together with its places, so a member without a record belongs to a lost one.
if redis.call('EXISTS', @record) == 1 then return 0 end
return redis.call('ZREM', @index, @id)
