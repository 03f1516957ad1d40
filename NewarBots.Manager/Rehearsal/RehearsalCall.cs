using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The course of the call. Times are seconds since its start.</summary>
internal sealed record RehearsalCall
{
    /// <summary>
    /// The Unix time at which the call started, so that its clock continues for a guest who rejoins; <see langword="null"/>: when the
    /// guest joins.
    /// </summary>
    public double? Epoch { get; init; }

    /// <summary>The host removes guests whose microphone or camera is on.</summary>
    public bool IsMutedOnly { get; init; }

    /// <summary>A notice with a second "Join now". A guest who does not answer it in time is removed.</summary>
    public CallNotice? Notice { get; init; }

    /// <summary>When the notice appears; 0: before the guest is in the call.</summary>
    public double NoticeAfter { get; init; }

    /// <summary>When "Others may see your video differently" appears.</summary>
    public double? HintAfter { get; init; }

    /// <summary>When a chat message quotes the texts that usually mean the end of a call.</summary>
    public double? ChatAfter { get; init; }

    /// <summary>The page does not show the number of participants.</summary>
    public bool IsUncounted { get; init; }

    /// <summary>When the page has lost the call and tries to reconnect: a banner, no controls, no sound.</summary>
    public MeetingSpan? Reconnects { get; init; }

    /// <summary>When the page crashes.</summary>
    public double? CrashAt { get; init; }

    /// <summary>When the page reloads.</summary>
    public double? ReloadAt { get; init; }

    public IReadOnlyList<TimedMisbehavior> Misbehaviors { get; init; } = [];

    /// <summary>When the host ends the call for everyone.</summary>
    public double? EndAfter { get; init; }

    public EndedText EndedText { get; init; }

    /// <summary>When the host removes the guest.</summary>
    public double? KickAfter { get; init; }
}

/// <summary>The subject of a notice.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CallNotice>))]
internal enum CallNotice
{
    Recording,
    Transcription,
    Gemini,
}

/// <summary>The page's text after the call has ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EndedText>))]
internal enum EndedText
{
    /// <summary>"Your host ended the meeting for everyone".</summary>
    Host,

    /// <summary>"The call ended".</summary>
    Call,
}

/// <param name="Kind">The action of the page.</param>
/// <param name="At">In seconds since the start of the call.</param>
internal sealed record TimedMisbehavior(Misbehavior Kind, double At);

/// <summary>Ways in which a page disrupts whoever automates it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Misbehavior>))]
internal enum Misbehavior
{
    Alert,
    Confirm,
    Prompt,

    /// <summary>From then on, the page asks for confirmation before it is left.</summary>
    BeforeUnload,

    /// <summary>The page opens a window.</summary>
    Window,
    Download,
}
