using System.Globalization;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Tests.Fixtures;

/// <summary>A small chunk that claims to be far away or very long.</summary>
internal static class HostileChunk
{
    private const int Second = ChunkFormat.PacketsPerSecond;

    /// <summary>Writes one second of silence at the position <paramref name="first"/>.</summary>
    /// <param name="path">The file to create.</param>
    /// <param name="session">The session that it claims.</param>
    /// <param name="first">Its first packet.</param>
    /// <param name="packets">If more than a second, another page follows that claims to end there.</param>
    /// <param name="start">The time that it claims.</param>
    public static async Task WriteAsync(string path, SessionId session, long first, long packets, string start = "2026-11-29T16:00:00.000Z")
    {
        await using var file = File.Create(path);
        var page = new OggPage();
        page.TryAdd(OpusHeaders.Head());
        page.WriteTo(file, 1, 0, 0, OggPageMarks.BeginningOfStream);
        page.TryAdd(OpusHeaders.Tags(
        [
            new(ChunkFormat.SessionTag, session.ToString()),
            new(ChunkFormat.StartTag, start),
            new(ChunkFormat.FirstPacketTag, first.ToString(CultureInfo.InvariantCulture)),
        ]));
        page.WriteTo(file, 1, 1, 0, OggPageMarks.None);
        AddSecond();
        page.WriteTo(file, 1, 2, Second * ChunkFormat.SamplesPerPacket, OggPageMarks.None);
        if (packets <= Second)
            return;
        AddSecond();
        page.WriteTo(file, 1, uint.MaxValue - 1, packets * ChunkFormat.SamplesPerPacket, OggPageMarks.None);

        void AddSecond()
        {
            for (var packet = 0; packet < Second; packet++)
                page.TryAdd(OpusHeaders.SilencePacket);
        }
    }
}
