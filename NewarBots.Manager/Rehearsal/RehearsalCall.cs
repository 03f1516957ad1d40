using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>What happens in the call. All times are seconds from its beginning.</summary>
internal sealed record RehearsalCall
{
    /// <summary>
    /// When the call began, as a Unix time; <see langword="null"/>: when the guest comes in. So a guest who comes back finds the
    /// clock where it is.
    /// </summary>
    public double? Epoch { get; init; }

    /// <summary>The host removes a guest at once who has a microphone or a camera on.</summary>
    public bool IsMutedOnly { get; init; }

    /// <summary>A second "Join now"; who does not answer is removed.</summary>
    public CallNotice? Notice { get; init; }

    /// <summary>When the notice comes; 0: before anything is heard of the call.</summary>
    public double NoticeAfter { get; init; }

    /// <summary>When the page says that others may see one's video differently.</summary>
    public double? HintAfter { get; init; }

    /// <summary>When somebody writes in the chat what elsewhere would mean that the call is over.</summary>
    public double? ChatAfter { get; init; }

    /// <summary>The page does not say how many there are.</summary>
    public bool IsUncounted { get; init; }

    /// <summary>When the page has lost the call and tries to reconnect: a banner, no controls, no sound.</summary>
    public MeetingSpan? Reconnects { get; init; }

    /// <summary>When the page crashes.</summary>
    public double? CrashAt { get; init; }

    /// <summary>When the page loads itself anew.</summary>
    public double? ReloadAt { get; init; }

    public IReadOnlyList<TimedTrick> Tricks { get; init; } = [];

    /// <summary>When the host ends the call for all.</summary>
    public double? EndAfter { get; init; }

    public EndedText EndedText { get; init; }

    /// <summary>When the host removes the guest.</summary>
    public double? KickAfter { get; init; }
}

/// <summary>What a notice tells about the call.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CallNotice>))]
internal enum CallNotice
{
    Recording,
    Transcription,
    Gemini,
}

/// <summary>What a guest reads whose call is over.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EndedText>))]
internal enum EndedText
{
    /// <summary>"Your host ended the meeting for everyone".</summary>
    Host,

    /// <summary>"The call ended".</summary>
    Call,
}

/// <param name="Kind">What the page does.</param>
/// <param name="At">When.</param>
internal sealed record TimedTrick(PageTrick Kind, double At);

/// <summary>What a page does to whoever looks at it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PageTrick>))]
internal enum PageTrick
{
    Alert,
    Confirm,
    Prompt,

    /// <summary>From then on it asks whether one really wants to leave.</summary>
    BeforeUnload,

    /// <summary>Opens a window.</summary>
    Window,
    Download,
}
