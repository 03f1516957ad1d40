using System.Threading.Channels;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Background work on bots: first in, first out, several bots at once, but only one worker per bot. Enqueuing a bot that already
/// waits has no effect. Enqueuing a bot that is being worked on repeats the work afterwards, because the current run may have read
/// the bot before it changed.
/// </summary>
/// <param name="logger">Receives unexpected errors; they do not affect other bots.</param>
internal sealed partial class BotWorkQueue(ILogger logger)
{
    private readonly Channel<SessionId> _waiting = Channel.CreateUnbounded<SessionId>();

    private readonly Dictionary<SessionId, State> _states = [];

    private enum State
    {
        Waiting,
        Running,
        RunningAndRepeat,
    }

    public void Enqueue(SessionId id)
    {
        lock (_states)
        {
            if (_states.TryGetValue(id, out var state))
            {
                if (state is State.Running)
                    _states[id] = State.RunningAndRepeat;
                return;
            }

            _states[id] = State.Waiting;
            _waiting.Writer.TryWrite(id);
        }
    }

    /// <summary>
    /// Works until <paramref name="cancellation"/>, then waits for current work to end. Failed work is not retried.
    /// </summary>
    public async Task ProcessAsync(int parallelism, Func<SessionId, CancellationToken, Task> work, CancellationToken cancellation)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellation };
        try
        {
            await Parallel.ForEachAsync(_waiting.Reader.ReadAllAsync(cancellation), options, async (id, token) =>
            {
                lock (_states)
                    _states[id] = State.Running;
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
            // The host stops; the next manager finds unfinished bots by their records.
        }
    }

    private void Done(SessionId id)
    {
        lock (_states)
        {
            if (_states[id] is State.RunningAndRepeat)
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
        [LoggerMessage(LogLevel.Error, "Unexpected error while working on bot {SessionId}")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);
    }
}
