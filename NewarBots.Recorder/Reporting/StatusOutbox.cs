using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Status messages on their way out, in order, each once. While nobody takes them, of successive <c>recording</c> messages only
/// the newest is kept: they differ in their figures only, so what is held stays small however long Redis is away.
/// </summary>
internal sealed class StatusOutbox
{
    private readonly Lock _gate = new();
    private readonly LinkedList<StatusMessage> _waiting = new();
    private TaskCompletionSource _added = NewSignal();
    private TaskCompletionSource? _empty;
    private bool _isSending;

    public void Add(StatusMessage message)
    {
        lock (_gate)
        {
            if (_waiting.Last is { } last && IsHeartbeat(last.Value) && IsHeartbeat(message) && !(_isSending && last == _waiting.First))
                last.Value = message;
            else
                _waiting.AddLast(message);
            _added.TrySetResult();
        }
    }

    /// <summary>
    /// Hands every message to <paramref name="send"/>, one at a time, until it is cancelled. A message leaves the outbox when
    /// <paramref name="send"/> has returned; one that failed is handed over again.
    /// </summary>
    public async Task SendAsync(Func<StatusMessage, CancellationToken, Task> send, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (message, added) = TakeFirst();
            if (message is null)
            {
                await added.WaitAsync(cancellationToken);
                continue;
            }

            await send(message, cancellationToken);
            Remove(message);
        }
    }

    /// <summary>Completes once everything that is in it now was sent.</summary>
    public Task WhenEmpty()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return Task.CompletedTask;
            _empty ??= NewSignal();
            return _empty.Task;
        }
    }

    private (StatusMessage? Message, Task Added) TakeFirst()
    {
        lock (_gate)
        {
            _isSending = _waiting.Count > 0;
            if (!_isSending)
                _added = NewSignal();
            return (_waiting.First?.Value, _added.Task);
        }
    }

    private void Remove(StatusMessage message)
    {
        lock (_gate)
        {
            _isSending = false;
            _waiting.Remove(message);
            if (_waiting.Count == 0)
            {
                _empty?.SetResult();
                _empty = null;
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static bool IsHeartbeat(StatusMessage message) => message is { Status: BotStatus.Recording, Detail: null };
}
