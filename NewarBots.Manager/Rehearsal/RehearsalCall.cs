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

    /// <summary>When the page begins to count one participant, however many there are.</summary>
    public double? MiscountAt { get; init; }

    /// <summary>Beside the visible count, the page contains hidden ones that say 1.</summary>
    public bool HasStaleCount { get; init; }

    /// <summary>Dialogs that remove a guest who does not answer them in time.</summary>
    public IReadOnlyList<TimedQuestion> Questions { get; init; } = [];

    /// <summary>When a banner offers to join another room. It stays.</summary>
    public double? BannerAt { get; init; }

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

    public RemovedText RemovedText { get; init; }
}

/// <summary>A dialog of the call with a button to leave and one to stay.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CallQuestion>))]
internal enum CallQuestion
{
    /// <summary>"Are you still there?".</summary>
    StillThere,

    /// <summary>"Your call audio and video will be shared with …".</summary>
    Share,

    /// <summary>Words that no selector pack has, except for "Leave".</summary>
    Unknown,
}

/// <param name="Kind">The subject.</param>
/// <param name="At">In seconds since the start of the call.</param>
internal sealed record TimedQuestion(CallQuestion Kind, double At);

/// <summary>The text for a removed guest.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RemovedText>))]
internal enum RemovedText
{
    /// <summary>"You've been removed from the meeting".</summary>
    HaveBeen,

    /// <summary>"You were removed from the meeting".</summary>
    Were,

    /// <summary>"Someone removed you from the meeting".</summary>
    Someone,

    /// <summary>"You can't rejoin this meeting".</summary>
    CannotRejoin,

    /// <summary>No text: the browser is sent to another page than the meeting.</summary>
    SentAway,
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

    /// <summary>"This meeting has ended".</summary>
    Meeting,

    /// <summary>"Your call has ended".</summary>
    YourCall,
}

/// <param name="Kind">The action of the page.</param>
/// <param name="At">In seconds since the start of the call.</param>
internal sealed record TimedMisbehavior(Misbehavior Kind, double At);

/// <summary>Ways in which a page disrupts automation.</summary>
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
