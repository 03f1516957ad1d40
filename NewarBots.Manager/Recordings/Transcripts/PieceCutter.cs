using NewarBots.Contract.Ogg;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>
/// Copies pieces out of a finished Ogg Opus file, packet by packet: exact to 20 ms, without another loss of quality, and for a fraction of the cost of
/// encoding them again. The file is read once, and only the pieces that overlap are in memory.
/// </summary>
internal static class PieceCutter
{
    /// <summary>OpusHead and OpusTags.</summary>
    private const int Headers = 2;

    /// <param name="file">The file, positioned at its start.</param>
    /// <param name="pieces">Pieces of this file, in any order.</param>
    /// <returns>Each piece with a file of its own, in the order of their ends. Pieces beyond the end of the file are left out.</returns>
    public static IEnumerable<(SpeechPiece Piece, byte[] Ogg)> Cut(Stream file, IEnumerable<SpeechPiece> pieces)
    {
        var waiting = new Queue<SpeechPiece>(pieces.OrderBy(piece => piece.Audio.First));
        var open = new List<OpenPiece>();
        foreach (var (position, packet) in Packets(file))
        {
            while (waiting.TryPeek(out var next) && next.Audio.First <= position)
                open.Add(new(waiting.Dequeue(), new()));
            foreach (var piece in open)
                piece.Writer.Append(packet.Span);
            for (var index = 0; index < open.Count; index++)
            {
                if (open[index].Piece.Audio.End > position + 1)
                    continue;
                yield return open[index].Complete();
                open.RemoveAt(index--);
            }

            if (waiting.Count == 0 && open.Count == 0)
                yield break;
        }

        foreach (var piece in open)
            yield return piece.Complete();
    }

    /// <summary>The packets of audio with their positions. Each is valid until the next one.</summary>
    private static IEnumerable<(long Position, ReadOnlyMemory<byte> Packet)> Packets(Stream file)
    {
        var pages = new OggPageReader(file);
        using var packet = new MemoryStream();
        var number = 0L;
        while (pages.Read())
        {
            // Spans cannot live across a yield, so the page's packets are copied first.
            foreach (var complete in Read(pages, packet))
            {
                if (number >= Headers)
                    yield return (number - Headers, complete);
                number++;
            }
        }
    }

    /// <param name="pages">The current page.</param>
    /// <param name="partial">The begin of a packet that continues on this page; afterwards, of the one that continues on the next.</param>
    private static List<ReadOnlyMemory<byte>> Read(OggPageReader pages, MemoryStream partial)
    {
        var complete = new List<ReadOnlyMemory<byte>>();
        if (!pages.Marks.HasFlag(OggPageMarks.Continued))
            partial.SetLength(0);
        var packets = pages.Packets;
        var ending = packets.Count;
        foreach (var packet in packets)
        {
            partial.Write(packet);
            if (complete.Count == ending)
                break;
            complete.Add(partial.ToArray());
            partial.SetLength(0);
        }

        return complete;
    }

    private sealed class OpenPiece(SpeechPiece piece, MemoryStream file)
    {
        public SpeechPiece Piece => piece;

        public OggOpusWriter Writer { get; } = new(file);

        public (SpeechPiece Piece, byte[] Ogg) Complete()
        {
            Writer.Complete();
            return (piece, file.ToArray());
        }
    }
}
