using System.Threading.Channels;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Work on bots in the background: in order of arrival, several bots at once, each bot by one worker at a time. What is
/// enqueued while its bot waits already is one piece of work; what is enqueued while its bot is worked on is done again
/// afterwards, because the work in hand may have looked before the news came.
/// </summary>
/// <param name="logger">Is told of work that did not deal with its own failure; the other bots' goes on.</param>
internal sealed partial class BotWorkQueue(ILogger logger)
{
    private readonly Channel<SessionId> _waiting = Channel.CreateUnbounded<SessionId>();

    private readonly Dictionary<SessionId, State> _states = [];

    private enum State
    {
        Waiting,
        InHand,
        InHandAndAgain,
    }

    public void Enqueue(SessionId id)
    {
        lock (_states)
        {
            if (_states.TryGetValue(id, out var state))
            {
                if (state is State.InHand)
                    _states[id] = State.InHandAndAgain;
                return;
            }

            _states[id] = State.Waiting;
            _waiting.Writer.TryWrite(id);
        }
    }

    /// <summary>
    /// Works until <paramref name="cancellation"/>, then waits for what is in hand. Work that fails is not done again by itself.
    /// </summary>
    public async Task ProcessAsync(int parallelism, Func<SessionId, CancellationToken, Task> work, CancellationToken cancellation)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellation };
        try
        {
            await Parallel.ForEachAsync(_waiting.Reader.ReadAllAsync(cancellation), options, async (id, token) =>
            {
                lock (_states)
                    _states[id] = State.InHand;
                try
                {
                    await work(id, token);
                }
                catch (Exception exception) when (!token.IsCancellationRequested)
                {
                    Log.Unexpected(logger, exception, id);
                }
                finally
                {
                    Done(id);
                }
            });
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end of the host; whoever starts next finds unfinished bots by their records.
        }
    }

    private void Done(SessionId id)
    {
        lock (_states)
        {
            if (_states[id] is State.InHandAndAgain)
            {
                _states[id] = State.Waiting;
                _waiting.Writer.TryWrite(id);
            }
            else
            {
                _states.Remove(id);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Work on bot {SessionId} met an error that nobody expected")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);
    }
}
