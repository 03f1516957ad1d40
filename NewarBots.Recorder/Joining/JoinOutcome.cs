using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>How an attempt to join ended.</summary>
/// <param name="Refusal">Why there is no call; <see langword="null"/> where the bot is in it.</param>
/// <param name="Detail">One line for a person.</param>
internal sealed record JoinOutcome(EndReason? Refusal, string? Detail = null)
{
    public static JoinOutcome Admitted { get; } = new(Refusal: null);
}
