using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>How the voices reach the guest. Times are seconds of the call.</summary>
internal sealed record RehearsalAudio
{
    /// <summary>
    /// The number of fixed streams on one connection that carry the active speakers; 0: one connection per participant. If more
    /// participants speak than there are streams, those who began first are carried.
    /// </summary>
    public int Streams { get; init; }

    /// <summary>Which media elements play the streams.</summary>
    public MediaElements Elements { get; init; }

    public StereoSound Stereo { get; init; }

    public VoiceKind Voices { get; init; }

    /// <summary>Peak of one voice; full scale is 1.</summary>
    public double Level { get; init; } = TimeCode.Level;

    public CaptureBlocking CaptureBlocking { get; init; }

    /// <summary>When the tracks are muted.</summary>
    public MeetingSpan? Mutes { get; init; }

    /// <summary>When connections that never work replace those of the page.</summary>
    public MeetingSpan? NetworkLost { get; init; }

    /// <summary>When every RTCPeerConnection is closed and recreated.</summary>
    public double? RecreateAt { get; init; }

    /// <summary>When every sender replaces its track.</summary>
    public double? ReplaceAt { get; init; }

    /// <summary>When every track ends and a new one arrives over the same connection.</summary>
    public double? RenegotiateAt { get; init; }

    /// <summary>When every media element gets another stream.</summary>
    public double? SwapAt { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<MediaElements>))]
internal enum MediaElements
{
    /// <summary>One per stream.</summary>
    Each,
    None,
}

/// <summary>The channels of each voice.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StereoSound>))]
internal enum StereoSound
{
    /// <summary>Mono.</summary>
    None,

    /// <summary>Two channels, of which the right one is the inverted left one. In mono they cancel each other.</summary>
    Inverted,
}

/// <summary>Content of the voices.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VoiceKind>))]
internal enum VoiceKind
{
    /// <summary>The time code (<see cref="TimeCode"/>).</summary>
    Tones,

    /// <summary>A word in each second (<see cref="SpokenWords"/>).</summary>
    Words,
}

/// <summary>When the page blocks a bot's audio capture.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CaptureBlocking>))]
internal enum CaptureBlocking
{
    Never,

    /// <summary>
    /// MediaStreamTrackProcessors created in the first ten seconds of the call deliver nothing, and AudioContexts other than the page's
    /// own are suspended during that time.
    /// </summary>
    Once,

    /// <summary>The same during the whole call.</summary>
    Always,
}
