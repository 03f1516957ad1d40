using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>Limits how often a session visits its meeting again: two crashes, three losses of the audio, and ten pages that do not open.</summary>
internal sealed class RejoinBudget
{
    private const int MaxCrashes = 2;
    private const int MaxLosses = 3;
    private const int MaxUnreachable = 10;

    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(20);

    private int _crashes;
    private int _losses;
    private int _unreachable;

    /// <summary>The audio may be lost once more. Without another rejoin, the bot stays in the call, where it may return.</summary>
    public bool HasLossLeft => _losses < MaxLosses;

    /// <param name="cause">Why the last visit ended.</param>
    /// <returns>The next attempt; <see langword="null"/> if the cause allows none, or none is left.</returns>
    public RejoinAttempt? Take(EndReason cause) => cause switch
    {
        EndReason.BrowserCrashed when _crashes < MaxCrashes => new(++_crashes, MaxCrashes, TimeSpan.Zero),
        // Otherwise, a meeting that admits the bot but sends no audio would be joined for ever.
        EndReason.NetworkLost or EndReason.NoAudio when _losses < MaxLosses => new(++_losses, MaxLosses, Delay * (_losses - 1)),
        _ => null,
    };

    /// <summary>For a page that did not open.</summary>
    public RejoinAttempt? TakeUnreachable() => _unreachable < MaxUnreachable ? new(++_unreachable, MaxUnreachable, Delay) : null;
}

/// <param name="Number">From 1.</param>
/// <param name="Limit">The highest number.</param>
/// <param name="Delay">How long to wait before it.</param>
internal sealed record RejoinAttempt(int Number, int Limit, TimeSpan Delay)
{
    /// <summary>One line for a person.</summary>
    public override string ToString() => Delay > TimeSpan.Zero
        ? $"Rejoining in {Delay.TotalSeconds:0} s (attempt {Number} of {Limit})."
        : $"Rejoining (attempt {Number} of {Limit}).";
}
