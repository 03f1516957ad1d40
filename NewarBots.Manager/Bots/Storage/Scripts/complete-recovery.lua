-- Atomic: recovery is complete only if Redis still has its token, so that emptying Redis meanwhile starts another recovery.
if redis.call('GET', @complete) == @token then redis.call('SET', @complete, @done) end
