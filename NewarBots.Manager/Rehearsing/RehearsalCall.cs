using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsing;

/// <summary>What happens in the call. All times are seconds from its beginning.</summary>
internal sealed record RehearsalCall
{
    /// <summary>The host removes a guest at once who has a microphone or a camera on.</summary>
    public bool IsMutedOnly { get; init; }

    /// <summary>A second "Join now"; who does not answer is removed.</summary>
    public CallNotice? Notice { get; init; }

    /// <summary>When the notice comes; 0: before anything is heard of the call.</summary>
    public double NoticeAfter { get; init; }

    /// <summary>When the page says that others may see one's video differently.</summary>
    public double? HintAfter { get; init; }

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
