using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Recorder.Recording;

/// <summary>A quarter of a second or so of encoded audio, as the page hands it over.</summary>
/// <param name="Browser">Which of the session's browsers it is from.</param>
/// <param name="Capture">Names the encoder's run; a page that was loaded anew begins another.</param>
/// <param name="StartedAt">Wall-clock time of that run's first sample; only the run's first batch is sure to come before anybody sets the clock.</param>
/// <param name="FirstPacket">The first packet's index in that run.</param>
/// <param name="Packets">Opus packets of 20 ms each.</param>
/// <param name="Levels">Each packet's loudness in dBFS (RMS, -127 for digital silence), one for each packet.</param>
/// <param name="Stalls">Stretches, all ending before this batch's end, that the page had to fill with silence.</param>
/// <param name="Reception">What the connections of the page say.</param>
/// <param name="Page">Names the page's load, within which a track keeps its number.</param>
/// <param name="Sounds">What was received and heard of each track; empty where the page has not asked since the last batch, as it does once a second.</param>
/// <param name="Voices">How loud the tracks were where they were not silent; may lie behind this batch's packets, or before them.</param>
internal sealed record CapturedBatch(
    int Browser,
    string Capture,
    DateTimeOffset StartedAt,
    long FirstPacket,
    IReadOnlyList<ReadOnlyMemory<byte>> Packets,
    IReadOnlyList<int> Levels,
    IReadOnlyList<Stall> Stalls,
    Reception Reception,
    string Page,
    IReadOnlyList<TrackSound> Sounds,
    IReadOnlyList<VoiceBlock> Voices)
{
    /// <summary>What of the tracks was encoded alone, where that was asked for.</summary>
    public IReadOnlyList<TrackPackets> Alone { get; init; } = [];

    /// <summary>Why tracks are not, or no longer, encoded alone.</summary>
    public IReadOnlyList<TrackTrouble> Troubles { get; init; } = [];

    /// <param name="captured">A message of capture.js.</param>
    /// <exception cref="InvalidCaptureException">The message is none of ours, or the page tells of an error.</exception>
    public static CapturedBatch Parse(CaptureMessage captured)
    {
        CapturePayload message;
        try
        {
            message = JsonSerializer.Deserialize(captured.Payload, CaptureJson.Default.CapturePayload)
                ?? throw new InvalidCaptureException("an empty message");
        }
        catch (JsonException exception)
        {
            throw new InvalidCaptureException(exception.Message);
        }

        if (message.Error is { } error)
            throw new InvalidCaptureException(error);
        if (message.Stalls.Any(stall => stall.Length != 2) || message.Voices?.Any(voice => voice.Length != 4) is true)
            throw new InvalidCaptureException("stalls or voices that are incomplete");
        if (!Fit(message.Sizes, message.Bytes) || message.Sizes.Length != message.Levels.Length)
            throw new InvalidCaptureException("sizes, levels and bytes that do not fit each other");
        // What is wrong with a track alone costs that track.
        var alone = (message.Alone ?? []).ToLookup(track => Fit(track.Sizes, track.Bytes));

        return new(
            captured.Browser,
            message.Capture,
            DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(message.StartedAt),
            message.First,
            Split(message.Sizes, message.Bytes),
            message.Levels,
            [.. message.Stalls.Select(stall => new Stall(stall[0], stall[1]))],
            new(message.Connections, message.Tracks, message.ReceivedBytes),
            message.Page,
            message.Sounds ?? [],
            [.. (message.Voices ?? []).Select(voice => new VoiceBlock((int)voice[0], voice[1], (int)voice[2], voice[3] == 0 ? null : voice[3]))])
        {
            Alone = [.. alone[true].Select(track => new TrackPackets(track.Track, track.First, Split(track.Sizes, track.Bytes)))],
            Troubles = [.. message.Troubles ?? [], .. alone[false].Select(track => new TrackTrouble(track.Track, "sizes and bytes that do not fit each other"))],
        };
    }

    private static bool Fit(int[] sizes, byte[] bytes) => sizes.All(size => size >= 0) && sizes.Sum(size => (long)size) == bytes.Length;

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

/// <param name="FirstPacket">From this packet of the run on.</param>
/// <param name="Packets">So many packets.</param>
internal readonly record struct Stall(long FirstPacket, long Packets);

/// <param name="Connections">RTCPeerConnections that are not closed.</param>
/// <param name="Tracks">Remote audio tracks that are live and mixed in.</param>
/// <param name="ReceivedBytes">Audio bytes received by all of them so far (<c>getStats</c>), a figure that only grows.</param>
internal readonly record struct Reception(int Connections, int Tracks, long ReceivedBytes);

/// <summary>What a track's connection says it received, and what came of it out of the page's ear. All figures only grow.</summary>
/// <param name="Track">Its number in order of appearance, from 1 on.</param>
/// <param name="ReceivedBytes">Audio bytes, without headers.</param>
/// <param name="ReceivedEnergy">
/// <c>totalAudioEnergy</c> of <see href="https://www.w3.org/TR/webrtc-stats/"/>: square of the level (1: full scale), times seconds.
/// </param>
/// <param name="HeardSeconds">So much audio was delivered.</param>
/// <param name="HeardEnergy">Its power (mean square), times seconds.</param>
/// <param name="IsUntold">Its connection did not answer: what it received is not known.</param>
internal readonly record struct TrackSound(
    int Track, long ReceivedBytes, double ReceivedEnergy, double HeardSeconds, double HeardEnergy, bool IsUntold = false);

/// <summary>100 ms of one track that are not silent.</summary>
/// <param name="Track">The track's number.</param>
/// <param name="Block">Where, in blocks from the capture's first sample on.</param>
/// <param name="Level">In dBFS (RMS).</param>
/// <param name="Contributor">The contributing source (CSRC) that a mixing server named for it.</param>
internal readonly record struct VoiceBlock(int Track, long Block, int Level, long? Contributor)
{
    public const int Packets = 5;
}

/// <summary>A piece of one track alone.</summary>
/// <param name="Track">The track's number.</param>
/// <param name="FirstPacket">The first packet's place, as an index in the capture.</param>
/// <param name="Packets">Opus packets of 20 ms each.</param>
internal readonly record struct TrackPackets(int Track, long FirstPacket, IReadOnlyList<ReadOnlyMemory<byte>> Packets);

/// <param name="Track">The track's number.</param>
/// <param name="What">What is wrong with it.</param>
internal readonly record struct TrackTrouble(int Track, string What);

/// <summary>The page's capture told of an error or sent what cannot be read.</summary>
internal sealed class InvalidCaptureException(string what) : Exception($"The capture in the page failed: {what}.");

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
    string Page = "",
    TrackSound[]? Sounds = null,
    long[][]? Voices = null,
    string? Error = null)
{
    public TrackPayload[]? Alone { get; init; }

    public TrackTrouble[]? Troubles { get; init; }
}

internal sealed record TrackPayload(int Track, long First, byte[] Bytes, int[] Sizes);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CapturePayload))]
internal sealed partial class CaptureJson : JsonSerializerContext;
