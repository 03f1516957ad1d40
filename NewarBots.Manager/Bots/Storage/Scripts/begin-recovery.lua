-- Atomic: of several managers that begin at once, all get the token of the first.
redis.call('SET', @complete, @token, 'NX')
return redis.call('GET', @complete)
