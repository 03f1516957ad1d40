using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Recorder.Recording;

/// <summary>A quarter of a second or so of encoded audio, as the page hands it over.</summary>
/// <param name="Browser">Which of the session's browsers it is from.</param>
/// <param name="Capture">Names the encoder's run; a page that was loaded anew begins another.</param>
/// <param name="StartedAt">Wall-clock time of that run's first sample.</param>
/// <param name="FirstPacket">The first packet's index in that run.</param>
/// <param name="Packets">Opus packets of 20 ms each.</param>
/// <param name="Levels">Each packet's loudness in dBFS (RMS, -127 for digital silence), one for each packet.</param>
/// <param name="Stalls">Stretches, all ending before this batch's end, that the page had to fill with silence.</param>
/// <param name="Reception">What the connections of the page say.</param>
internal sealed record CapturedBatch(
    int Browser,
    string Capture,
    DateTimeOffset StartedAt,
    long FirstPacket,
    IReadOnlyList<ReadOnlyMemory<byte>> Packets,
    IReadOnlyList<int> Levels,
    IReadOnlyList<Stall> Stalls,
    Reception Reception)
{
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
        if (message.Sizes.Any(size => size < 0) || message.Sizes.Sum() != message.Bytes.Length || message.Sizes.Length != message.Levels.Length)
            throw new InvalidCaptureException("sizes, levels and bytes that do not fit each other");
        var packets = new List<ReadOnlyMemory<byte>>(message.Sizes.Length);
        var offset = 0;
        foreach (var size in message.Sizes)
        {
            packets.Add(message.Bytes.AsMemory(offset, size));
            offset += size;
        }

        return new(
            captured.Browser,
            message.Capture,
            DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(message.StartedAt),
            message.First,
            packets,
            message.Levels,
            [.. message.Stalls.Select(stall => new Stall(stall[0], stall[1]))],
            new(message.Connections, message.Tracks, message.ReceivedBytes));
    }
}

/// <param name="FirstPacket">From this packet of the run on.</param>
/// <param name="Packets">So many packets.</param>
internal readonly record struct Stall(long FirstPacket, long Packets);

/// <param name="Connections">RTCPeerConnections that are not closed.</param>
/// <param name="Tracks">Remote audio tracks that are live and mixed in.</param>
/// <param name="ReceivedBytes">Audio bytes received by all of them so far (<c>getStats</c>), a figure that only grows.</param>
internal readonly record struct Reception(int Connections, int Tracks, long ReceivedBytes);

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
    string? Error = null);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CapturePayload))]
internal sealed partial class CaptureJson : JsonSerializerContext;
