using System.Collections.Frozen;

namespace NewarBots.Contract;

/// <summary>The values of <see cref="Gap.Cause"/>.</summary>
public static class GapCause
{
    /// <summary>The browser stalled, for a while or until the end: it captured nothing, or delivered nothing.</summary>
    public const string CaptureStalled = "capture_stalled";

    /// <summary>The page or browser crashed and was replaced, or the bot left before it was replaced.</summary>
    public const string BrowserRestarted = "browser_restarted";

    /// <summary>The page was reloaded, or its encoder failed.</summary>
    public const string CaptureRestarted = "capture_restarted";

    /// <summary>A track was received but not captured.</summary>
    public const string NotHeard = "not_heard";

    /// <summary>
    /// No connection that should carry audio was connected while others were in the call, or the bot rejoined the call because of that.
    /// </summary>
    public const string NetworkLost = "network_lost";

    /// <summary>The host sent the bot back to the waiting room.</summary>
    public const string WaitingRoom = "waiting_room";

    /// <summary>The page encoded packets that never arrived.</summary>
    public const string PacketsLost = "packets_lost";

    /// <summary>A chunk is missing or completely unreadable.</summary>
    public const string ChunkMissing = "chunk_missing";

    /// <summary>Some pages of a chunk are unreadable.</summary>
    public const string ChunkDamaged = "chunk_damaged";

    public static FrozenSet<string> All { get; } =
        [CaptureStalled, BrowserRestarted, CaptureRestarted, NotHeard, NetworkLost, WaitingRoom, PacketsLost, ChunkMissing, ChunkDamaged];
}
