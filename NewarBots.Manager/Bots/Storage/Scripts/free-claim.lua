-- Atomic: a record is created and deleted together with its claim, so a claim whose holder has no record belongs to a lost one.
-- A key of another type is an unreadable record, which keeps its claim.
local holder = redis.call('GET', @claim)
if not holder then return {} end
local record = @records .. holder
local kind = redis.call('TYPE', record).ok
if kind ~= 'none' and (kind ~= 'hash' or redis.call('HEXISTS', record, 'record') == 1) then return {} end
redis.call('DEL', @claim)
return {holder}
