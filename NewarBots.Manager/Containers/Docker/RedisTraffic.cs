namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Limits what one bot sends to Redis, over all its connections: a recorder sends a few hundred bytes per second. Redis itself has no limit per
/// user.
/// </summary>
internal sealed class RedisTraffic(TimeProvider time)
{
    /// <summary>A recorder uses two: one for commands, one for its subscription.</summary>
    public const int MaxConnections = 4;

    private const int BytesPerSecond = 32 * 1024;

    /// <summary>Bytes that a connection counts for, so that connections cannot be opened in a loop.</summary>
    private const int BytesOfConnection = 4 * 1024;

    /// <summary>Bytes that may be sent at once: 64 KiB.</summary>
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(2);

    /// <summary>If answers are not read for this long, the connection ends. Until then, Redis keeps them in memory.</summary>
    public static TimeSpan UnreadTimeout { get; } = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();

    /// <summary>Since <see cref="_start"/>.</summary>
    private TimeSpan _paidUntil;
    private int _reported;

    public Task ConnectAsync(CancellationToken cancellation) => SendAsync(BytesOfConnection, cancellation);

    /// <summary>Waits until these bytes may be sent.</summary>
    public async Task SendAsync(int bytes, CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_start);
            if (_paidUntil < now)
                _paidUntil = now;
            wait = _paidUntil - Burst - now;
            _paidUntil += TimeSpan.FromSeconds((double)bytes / BytesPerSecond);
        }

        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, time, cancellation);
    }

    /// <returns>Whether this is the first time.</returns>
    public bool ReportOnce() => Interlocked.Exchange(ref _reported, 1) == 0;
}

/// <summary>
/// Checks the commands of one connection to Redis while they pass: arrays of strings, as clients send them, with few arguments and bytes. Redis
/// keeps an unfinished command in memory, and counts empty arguments as nothing.
/// </summary>
internal sealed class RedisCommandCheck
{
    /// <summary>The longest command of a client is <c>HELLO</c> with user, password and name.</summary>
    private const int MaxArguments = 16;

    /// <summary>A status message has 12 KB at most, its details escaped.</summary>
    private const int MaxBytes = 64 * 1024;

    private const int MaxDigits = 6;

    private enum State
    {
        CommandMark,
        ArgumentMark,
        Number,
        LineEnd,
        Text,
    }

    private State _state;
    private bool _isCommand;
    private int _number;
    private int _digits;
    private int _arguments;
    private int _bytes;
    private int _left;

    /// <returns>False if a byte violates the part of the protocol that recorders use.</returns>
    public bool Accept(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_state is State.Text)
            {
                var text = Math.Min(_left, bytes.Length);
                bytes = bytes[text..];
                _left -= text;
                if (_left == 0)
                    EndArgument();
            }
            else if (Accept(bytes[0]))
            {
                bytes = bytes[1..];
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private bool Accept(byte next)
    {
        switch (_state)
        {
            case State.CommandMark or State.ArgumentMark:
                _isCommand = _state is State.CommandMark;
                (_number, _digits, _state) = (0, 0, State.Number);
                return next == (_isCommand ? '*' : '$');
            case State.Number when next is >= (byte)'0' and <= (byte)'9':
                _number = _number * 10 + (next - '0');
                return ++_digits <= MaxDigits;
            case State.Number:
                _state = State.LineEnd;
                return next == '\r' && _digits > 0;
            default:
                return next == '\n' && (_isCommand ? BeginCommand() : BeginArgument());
        }
    }

    private bool BeginCommand()
    {
        (_arguments, _bytes, _state) = (_number, 0, State.ArgumentMark);
        return _arguments is > 0 and <= MaxArguments;
    }

    private bool BeginArgument()
    {
        _bytes += _number;
        // The line break after the text is not checked. Redis takes any two bytes.
        (_left, _state) = (_number + 2, State.Text);
        return _bytes <= MaxBytes;
    }

    private void EndArgument() => _state = --_arguments == 0 ? State.CommandMark : State.ArgumentMark;
}
