using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// The queue of status messages to send, in order. Consecutive <c>recording</c> messages differ only in their
/// figures, so a newer one replaces a waiting one. The queue stays small however long Redis is unreachable.
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

    /// <summary>Sends a message that was sent before, unless others wait, which do as well to wake the managers.</summary>
    public void Repeat(StatusMessage message)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                Add(message);
        }
    }

    /// <summary>
    /// Passes messages to <paramref name="send"/>, one at a time, until cancelled. A message leaves the outbox once
    /// <paramref name="send"/> has succeeded; otherwise the next call sends it again.
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

    /// <summary>Completes once the outbox is empty.</summary>
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
