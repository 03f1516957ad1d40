-- Atomic: a record is created and deleted together with its places, so a member without a record belongs to a lost one.
-- A key of another type is an unreadable record, which keeps its places.
local kind = redis.call('TYPE', @record).ok
if kind ~= 'none' and (kind ~= 'hash' or redis.call('HEXISTS', @record, 'record') == 1) then return 0 end
return redis.call('ZREM', @index, @id)
