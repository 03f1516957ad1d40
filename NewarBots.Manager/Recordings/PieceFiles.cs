namespace NewarBots.Manager.Recordings;

/// <summary>
/// Gives every piece of the plan a file that FFmpeg can take as it is: an intact chunk is its own; what is left of a damaged
/// one, and silence, are written anew.
/// </summary>
/// <param name="source">Where the chunks lie.</param>
/// <param name="folder">Where new files go.</param>
internal sealed class PieceFiles(AudioFolder source, string folder)
{
    public IReadOnlyList<ConcatenationPart> Make(ChunkManifest plan, CancellationToken cancellation)
    {
        var parts = new List<ConcatenationPart>(plan.Pieces.Count);
        foreach (var piece in plan.Pieces)
        {
            cancellation.ThrowIfCancellationRequested();
            parts.Add(new(PathOf(piece), piece.Range.Count));
        }

        return parts;
    }

    public string PathOf(Piece piece) => piece switch
    {
        Piece.OfChunk { IsIntact: true } intact => source.PathOf(intact.Chunk),
        Piece.OfChunk damaged => Write($"repaired_{damaged.Chunk.File}", writer => Copy(damaged, writer)),
        _ => Write($"silence_{piece.Range.First}.ogg", writer => writer.AppendSilence(piece.Range.Count)),
    };

    private string Write(string name, Action<OggOpusWriter> content)
    {
        var path = Path.Combine(folder, name);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        var writer = new OggOpusWriter(file);
        content(writer);
        writer.Complete();
        return path;
    }

    private void Copy(Piece.OfChunk piece, OggOpusWriter writer)
    {
        using var file = File.OpenRead(source.PathOf(piece.Chunk));
        var pages = new ChunkPages(file);
        var at = piece.Skip;
        while (pages.Read())
        {
            writer.AppendSilence(Math.Max(0, pages.Range.First - at));
            at = Math.Max(at, pages.Range.First);
            var packet = pages.Range.First;
            foreach (var audio in pages.Packets)
            {
                if (packet++ < at)
                    continue;
                writer.Append(audio);
                at++;
            }
        }
    }
}
