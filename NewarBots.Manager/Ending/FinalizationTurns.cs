using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Shares the <see cref="FinalizingOptions.MaxConcurrent"/> slots for making recordings among the bots that have ended. A bot works in turns. When its
/// turn is over while another bot waits, it is interrupted, waits for its next turn, and gets twice the time. One slot is reserved for first turns, so
/// bots with little work never wait for bots with much. Users take turns too, so many bots of one user do not hold up the few of another. Among the
/// bots of one user, those with the least expected work come first. A waiting bot holds no lease and no worker.
/// </summary>
internal sealed class FinalizationTurns(IOptions<FinalizingOptions> options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, Place> _waiting = [];
    private readonly List<FinalizationTurn> _running = [];
    private readonly HashSet<SessionId> _suspended = [];
    private long _arrivals;

    /// <summary>Called when a waiting bot can begin its turn, outside of any lock.</summary>
    public Action<SessionId> Due { get; set; } = _ => { };

    private int Free => options.Value.MaxConcurrent - _running.Count;

    /// <summary>Whether a bot that was interrupted before may begin, if a slot is free.</summary>
    private bool HasRoomForLaterTurn => _running.Count(turn => turn.Number > 0) < Math.Max(1, options.Value.MaxConcurrent - 1);

    /// <param name="id">The bot.</param>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="first">Length of its first turn. Each later one is twice as long as the one before.</param>
    /// <param name="work">Expected work, in seconds of audio. Bots with less come first.</param>
    /// <returns><see langword="null"/> if the bot has to wait. <see cref="Due"/> is called later, unless the bot is forgotten or suspended.</returns>
    public FinalizationTurn? TryBegin(SessionId id, UserId user, TimeSpan first, double work)
    {
        lock (_lock)
        {
            if (_suspended.Contains(id))
                return null;
            if (!_waiting.TryGetValue(id, out var place))
                _waiting[id] = place = new(user, Turn: 0, work, ++_arrivals);
            if (!DueNow().Contains(id))
            {
                InterruptForWaiting();
                return null;
            }

            _waiting.Remove(id);
            var turn = new FinalizationTurn(id, user, place.Turn, work, End);
            _running.Add(turn);
            turn.StartTimer(time, first * Math.Pow(2, Math.Min(place.Turn, 20)), IsOver);
            return turn;
        }
    }

    /// <summary>The bot no longer waits.</summary>
    public void Forget(SessionId id) => Change(() => _waiting.Remove(id));

    /// <summary>Interrupts the bot's turn, and gives it none until the result is disposed of.</summary>
    public IDisposable Suspend(SessionId id)
    {
        Change(() =>
        {
            _suspended.Add(id);
            _waiting.Remove(id);
            _running.Find(turn => turn.Id == id)?.Interrupt();
        });
        return new Suspension(() =>
        {
            Change(() => _suspended.Remove(id));
            Due(id);
        });
    }

    private void End(FinalizationTurn turn) => Change(() =>
    {
        _running.Remove(turn);
        if (turn.WillContinue && !_suspended.Contains(turn.Id))
            _waiting[turn.Id] = new(turn.User, turn.Number + 1, turn.Work, ++_arrivals);
    });

    private void IsOver(FinalizationTurn turn) => Change(() =>
    {
        turn.IsOver = true;
        InterruptForWaiting();
    });

    private void Change(Action change)
    {
        List<SessionId> due;
        lock (_lock)
        {
            change();
            due = [.. DueNow()];
        }

        foreach (var id in due)
            Due(id);
    }

    /// <summary>Bots that may begin.</summary>
    private IEnumerable<SessionId> DueNow() =>
        InOrder().Take(Free).Where(waiting => waiting.Place.Turn == 0 || HasRoomForLaterTurn).Select(waiting => waiting.Id);

    /// <summary>
    /// First turns come first. Among those with as many turns, a bot comes before others whose user has more bots ahead of it, and then before those with
    /// more work.
    /// </summary>
    private IEnumerable<(SessionId Id, Place Place)> InOrder() =>
        from user in _waiting.GroupBy(waiting => waiting.Value.User)
        let running = _running.Count(turn => turn.User == user.Key)
        from waiting in user.OrderBy(waiting => (waiting.Value.Turn, waiting.Value.Work, waiting.Value.Arrival)).Index()
        orderby waiting.Item.Value.Turn, running + waiting.Index, waiting.Item.Value.Work, waiting.Item.Value.Arrival
        select (waiting.Item.Key, waiting.Item.Value);

    private void InterruptForWaiting()
    {
        var ending = _running.Count(turn => turn.IsInterrupted);
        foreach (var waiting in InOrder().Skip(Free + ending))
        {
            var isFreeForAll = waiting.Place.Turn == 0 || HasRoomForLaterTurn;
            _running.Find(turn => turn is { IsOver: true, IsInterrupted: false } && (isFreeForAll || turn.Number > 0))?.Interrupt();
        }
    }

    /// <summary>A place in the queue.</summary>
    private sealed record Place(UserId User, int Turn, double Work, long Arrival);

    private sealed class Suspension(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

/// <summary>The use of one slot by one bot. Disposing of it frees the slot.</summary>
internal sealed class FinalizationTurn(SessionId id, UserId user, int number, double work, Action<FinalizationTurn> end) : IDisposable
{
    private readonly CancellationTokenSource _interruption = new();
    private ITimer? _timer;
    private bool _isEnded;

    public SessionId Id => id;

    public UserId User => user;

    /// <summary>How often the bot was interrupted before.</summary>
    public int Number => number;

    /// <summary>Expected work, in seconds of audio.</summary>
    public double Work => work;

    /// <summary>Cancelled if the bot has to make room.</summary>
    public CancellationToken Interruption => _interruption.Token;

    public bool IsInterrupted => _interruption.IsCancellationRequested;

    /// <summary>It has had its time, and continues only because nobody waits.</summary>
    public bool IsOver { get; set; }

    /// <summary>The bot has more to do: its place in the queue is kept when the turn is disposed of.</summary>
    public bool WillContinue { get; set; }

    public void StartTimer(TimeProvider time, TimeSpan length, Action<FinalizationTurn> isOver) =>
        _timer = time.CreateTimer(_ => isOver(this), state: null, length, Timeout.InfiniteTimeSpan);

    /// <summary>Returns at once; the work ends later.</summary>
    public void Interrupt() => _ = _interruption.CancelAsync();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isEnded, value: true))
            return;
        _timer?.Dispose();
        end(this);
        _interruption.Dispose();
    }
}
