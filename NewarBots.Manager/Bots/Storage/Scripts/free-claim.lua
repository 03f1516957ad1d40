-- Atomic: a record is created and deleted together with its claim, so a claim whose holder has no record belongs to a lost one.
local holder = redis.call('GET', @claim)
if not holder or redis.call('EXISTS', @records .. holder) == 1 then return {} end
redis.call('DEL', @claim)
return {holder}
