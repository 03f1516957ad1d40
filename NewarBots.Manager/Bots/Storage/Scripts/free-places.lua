-- Atomic: a record is created and deleted together with its places, so a member without a record belongs to a lost one.
local freed = {}
for _, member in ipairs(redis.call('ZRANGE', @index, 0, -1)) do
    if redis.call('EXISTS', @records .. member) == 0 then
        redis.call('ZREM', @index, member)
        freed[#freed + 1] = member
    end
end
return freed
