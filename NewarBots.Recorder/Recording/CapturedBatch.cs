using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Recorder.Recording;

/// <summary>About a quarter of a second of encoded audio, as delivered by the page.</summary>
internal sealed record CapturedBatch
{
    /// <summary>Which of the session's browsers it comes from, counted from 0.</summary>
    public required int Browser { get; init; }

    /// <summary>Identifies the encoder's run. A reloaded page starts another one.</summary>
    public required string Capture { get; init; }

    /// <summary>Wall-clock time of the run's first sample. Setting the machine's clock later does not change it.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Index of the first packet in the run.</summary>
    public required long FirstPacket { get; init; }

    /// <summary>Opus packets of 20 ms each.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Packets { get; init; }

    /// <summary>Loudness of each packet in dBFS (RMS); -127 is digital silence.</summary>
    public required IReadOnlyList<int> Levels { get; init; }

    /// <summary>Stretches that the page filled with silence. All end before this batch does.</summary>
    public IReadOnlyList<Stall> Stalls { get; init; } = [];

    /// <summary>The report of the page's connections.</summary>
    public Reception Reception { get; init; }

    /// <summary>Whether remote audio could arrive.</summary>
    public NetworkState Network { get; init; }

    /// <summary>Identifies the page load, within which a track keeps its number.</summary>
    public string Page { get; init; } = string.Empty;

    /// <summary>Figures of each track. Updated once a second; empty if they have not changed since the last batch.</summary>
    public IReadOnlyList<TrackStats> TrackStats { get; init; } = [];

    /// <summary>Loudness of the tracks that are not silent. May lie before or after this batch's packets.</summary>
    public IReadOnlyList<VoiceBlock> Voices { get; init; } = [];

    /// <summary>Separately encoded tracks, if tracks are recorded.</summary>
    public IReadOnlyList<TrackPackets> SoloTracks { get; init; } = [];

    /// <summary>Tracks that are not, or no longer, encoded separately.</summary>
    public IReadOnlyList<TrackFailure> TrackFailures { get; init; } = [];

    /// <param name="captured">A message of the capture script.</param>
    /// <exception cref="InvalidCaptureException">The message is malformed, or it reports an error.</exception>
    public static CapturedBatch Parse(CaptureMessage captured)
    {
        CapturePayload message;
        try
        {
            message = JsonSerializer.Deserialize(captured.Payload, CaptureJson.Default.CapturePayload)
                ?? throw new InvalidCaptureException("The message is empty.");
        }
        catch (JsonException exception)
        {
            throw new InvalidCaptureException(exception.Message);
        }

        if (message.Error is { } error)
            throw new InvalidCaptureException(error);
        if (message.Stalls.Any(stall => stall.Length != 2) || message.Voices?.Any(voice => voice.Length != 4) is true)
            throw new InvalidCaptureException("A stall or a voice is incomplete.");
        if (!SizesMatch(message.Sizes, message.Bytes) || message.Sizes.Length != message.Levels.Length)
            throw new InvalidCaptureException("Sizes, levels and bytes do not match.");
        // A malformed solo track costs only that track.
        var solo = (message.Solo ?? []).ToLookup(track => SizesMatch(track.Sizes, track.Bytes));

        return new()
        {
            Browser = captured.Browser,
            Capture = message.Capture,
            StartedAt = DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(message.StartedAt),
            FirstPacket = message.First,
            Packets = Split(message.Sizes, message.Bytes),
            Levels = message.Levels,
            Stalls = [.. message.Stalls.Select(stall => new Stall(stall[0], stall[1]))],
            Reception = new(message.Connections, message.Tracks, message.ReceivedBytes),
            Network = message.Network,
            Page = message.Page,
            TrackStats = message.TrackStats ?? [],
            Voices = [.. (message.Voices ?? []).Select(voice => new VoiceBlock((int)voice[0], voice[1], (int)voice[2], voice[3] == 0 ? null : voice[3]))],
            SoloTracks = [.. solo[true].Select(track => new TrackPackets(track.Track, track.First, Split(track.Sizes, track.Bytes)))],
            TrackFailures = [.. message.TrackFailures ?? [], .. solo[false].Select(track => new TrackFailure(track.Track, "Sizes and bytes do not match."))],
        };
    }

    private static bool SizesMatch(int[] sizes, byte[] bytes) => sizes.All(size => size >= 0) && sizes.Sum(size => (long)size) == bytes.Length;

    private static List<ReadOnlyMemory<byte>> Split(int[] sizes, byte[] bytes)
    {
        var packets = new List<ReadOnlyMemory<byte>>(sizes.Length);
        var offset = 0;
        foreach (var size in sizes)
        {
            packets.Add(bytes.AsMemory(offset, size));
            offset += size;
        }

        return packets;
    }
}

/// <param name="FirstPacket">Index of its first packet in the run.</param>
/// <param name="Packets">Its length.</param>
internal readonly record struct Stall(long FirstPacket, long Packets);

/// <param name="Connections">RTCPeerConnections that are not closed.</param>
/// <param name="Tracks">Live remote audio tracks in the mix.</param>
/// <param name="ReceivedBytes">Audio bytes received by all connections so far (<c>getStats</c>). Never decreases.</param>
internal readonly record struct Reception(int Connections, int Tracks, long ReceivedBytes);

/// <summary>The page's open connections that have negotiated to receive audio.</summary>
/// <param name="Expected">How many there are.</param>
/// <param name="Live">How many of them are connected.</param>
/// <param name="ClosedByPeer">How many the other side has closed, as it does when it leaves.</param>
/// <param name="HasFailed">The browser has given up on all others.</param>
/// <param name="WasLive">One has been connected since the page was loaded.</param>
/// <param name="LostAt">
/// In milliseconds since the capture's first sample: when the last packet arrived before no connection was live any more, or when the first
/// one was negotiated if none has been live; <see langword="null"/> while one is live or none is expected.
/// </param>
/// <param name="RestoredAt">Likewise: when a connection was live again after the latest loss.</param>
internal readonly record struct NetworkState(
    int Expected, int Live, int ClosedByPeer = 0, bool HasFailed = false, bool WasLive = false, long? LostAt = null, long? RestoredAt = null)
{
    /// <param name="capture">The position of the capture on the time line.</param>
    /// <returns>The same state, with times in milliseconds since the start of the session's time line.</returns>
    public NetworkState After(TimeSpan capture)
    {
        var before = (long)capture.TotalMilliseconds;
        return this with { LostAt = LostAt + before, RestoredAt = RestoredAt + before };
    }
}

/// <summary>A track's received audio, as its connection reports it, and its captured audio. No figure ever decreases.</summary>
/// <param name="Track">The track's number, from 1 in order of appearance.</param>
/// <param name="ReceivedBytes">Audio bytes, without headers.</param>
/// <param name="ReceivedEnergy">
/// <c>totalAudioEnergy</c> of <see href="https://www.w3.org/TR/webrtc-stats/"/>: square of the level (1: full scale), times seconds.
/// </param>
/// <param name="CapturedSeconds">Length of the captured audio.</param>
/// <param name="CapturedEnergy">Its power (mean square), times seconds.</param>
/// <param name="AreMissing">The connection did not respond, so the received figures are unknown.</param>
internal readonly record struct TrackStats(
    int Track, long ReceivedBytes, double ReceivedEnergy, double CapturedSeconds, double CapturedEnergy, bool AreMissing = false);

/// <summary>100 ms of a track that are not silent.</summary>
/// <param name="Track">The track's number.</param>
/// <param name="Block">Index of the block, from the capture's first sample.</param>
/// <param name="Level">In dBFS (RMS).</param>
/// <param name="Contributor">The contributing source (CSRC), if a mixing server names one.</param>
internal readonly record struct VoiceBlock(int Track, long Block, int Level, long? Contributor)
{
    public const int Packets = 5;
}

/// <summary>Separately encoded audio of one track.</summary>
/// <param name="Track">The track's number.</param>
/// <param name="FirstPacket">Index of the first packet in the capture.</param>
/// <param name="Packets">Opus packets of 20 ms each.</param>
internal readonly record struct TrackPackets(int Track, long FirstPacket, IReadOnlyList<ReadOnlyMemory<byte>> Packets);

/// <param name="Track">The track's number.</param>
/// <param name="Error">Why it is not encoded separately.</param>
internal readonly record struct TrackFailure(int Track, string Error);

/// <summary>The capture script reported an error or sent a malformed message.</summary>
internal sealed class InvalidCaptureException(string error) : Exception($"The capture in the page failed: {error}");

internal sealed record CapturePayload(
    string Capture,
    double StartedAt,
    long First,
    byte[] Bytes,
    int[] Sizes,
    int[] Levels,
    long[][] Stalls,
    int Connections,
    int Tracks,
    long ReceivedBytes,
    string Page = "")
{
    public TrackStats[]? TrackStats { get; init; }

    public long[][]? Voices { get; init; }

    public NetworkState Network { get; init; }

    public string? Error { get; init; }

    public TrackPayload[]? Solo { get; init; }

    public TrackFailure[]? TrackFailures { get; init; }
}

internal sealed record TrackPayload(int Track, long First, byte[] Bytes, int[] Sizes);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CapturePayload))]
internal sealed partial class CaptureJson : JsonSerializerContext;
