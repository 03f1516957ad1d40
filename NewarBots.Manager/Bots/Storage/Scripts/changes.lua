-- Atomic: no bot is changed, added or deleted between the three answers.
return {tonumber(redis.call('GET', @changes) or '0'), redis.call('ZCARD', @all), redis.call('ZRANGEBYSCORE', @changed, '(' .. @after, '+inf')}
