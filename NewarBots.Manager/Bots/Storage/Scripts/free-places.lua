-- Atomic: a record is created and deleted together with its places, so a member without a record belongs to a lost one.
-- A key of another type is an unreadable record, which keeps its places.
local freed = {}
for _, member in ipairs(redis.call('ZRANGE', @index, 0, -1)) do
    local record = @records .. member
    local kind = redis.call('TYPE', record).ok
    if kind == 'none' or (kind == 'hash' and redis.call('HEXISTS', record, 'record') == 0) then
        redis.call('ZREM', @index, member)
        freed[#freed + 1] = member
    end
end
return freed
