using System.Collections.Frozen;

namespace NewarBots.Contract;

/// <summary>The machine words for <see cref="Gap.Cause"/>.</summary>
public static class GapCause
{
    /// <summary>The browser stood still, for a while or until the end: nothing was captured, or nothing of it was handed over.</summary>
    public const string CaptureStalled = "capture_stalled";

    /// <summary>The page crashed, or its browser, and was brought back; or the bot was to leave before it was.</summary>
    public const string BrowserRestarted = "browser_restarted";

    /// <summary>The page was loaded anew, or its encoder failed.</summary>
    public const string CaptureRestarted = "capture_restarted";

    /// <summary>A track was received and could not be heard.</summary>
    public const string NotHeard = "not_heard";

    /// <summary>The page encoded packets that never arrived.</summary>
    public const string PacketsLost = "packets_lost";

    /// <summary>A chunk that should be there is not, or nothing in it is readable.</summary>
    public const string ChunkMissing = "chunk_missing";

    /// <summary>Pages within a chunk, or at its end, are not readable.</summary>
    public const string ChunkDamaged = "chunk_damaged";

    public static FrozenSet<string> All { get; } =
        [CaptureStalled, BrowserRestarted, CaptureRestarted, NotHeard, PacketsLost, ChunkMissing, ChunkDamaged];
}
