using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>How the voices reach the guest. All times are seconds of the call.</summary>
internal sealed record RehearsalAudio
{
    /// <summary>
    /// One connection with so many fixed streams, which carry whoever speaks; 0: a connection for each participant. Where more
    /// speak than there are streams, who began first is carried.
    /// </summary>
    public int Streams { get; init; }

    /// <summary>What plays the streams.</summary>
    public MediaElements Elements { get; init; }

    /// <summary>Peak of one voice, of full scale 1.</summary>
    public double Level { get; init; } = TimeCode.Level;

    /// <summary>Whether the page keeps the bot from hearing.</summary>
    public Deafness Deaf { get; init; }

    /// <summary>When nothing is sent: the tracks mute and unmute.</summary>
    public MeetingSpan? Mutes { get; init; }

    /// <summary>When every RTCPeerConnection is closed and made again.</summary>
    public double? RecreateAt { get; init; }

    /// <summary>When every track is replaced in its sender.</summary>
    public double? ReplaceAt { get; init; }

    /// <summary>When every track ends and another one comes over the same connection.</summary>
    public double? RenegotiateAt { get; init; }

    /// <summary>When every media element gets another stream.</summary>
    public double? SwapAt { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<MediaElements>))]
internal enum MediaElements
{
    /// <summary>One for each stream.</summary>
    Each,
    None,
}

/// <summary>Which of the page's own doings keep a bot from hearing.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Deafness>))]
internal enum Deafness
{
    Never,

    /// <summary>
    /// Every MediaStreamTrackProcessor that is made in the first ten seconds of the call delivers nothing, and every AudioContext but
    /// the page's own is suspended.
    /// </summary>
    Once,

    /// <summary>The same until the end.</summary>
    Always,
}
