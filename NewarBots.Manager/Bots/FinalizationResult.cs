using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>What putting a bot's chunks together came to.</summary>
internal abstract record FinalizationResult
{
    /// <summary>The recording and its manifest lie at their final place and were decoded whole.</summary>
    public sealed record Recorded(RecordingInfo Recording, int Chunks, double AudibleSeconds) : FinalizationResult
    {
        /// <summary>Why its bot ended, as it was known when the recording was made.</summary>
        public EndReason? Reason { get; init; }

        public IReadOnlyList<Gap> Gaps { get; init; } = [];
    }

    /// <summary>There was no chunk that holds any audio; nothing was written.</summary>
    public sealed record NothingRecorded : FinalizationResult;
}
