using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Provides a valid Ogg Opus file for every piece of a plan: the chunk itself if it is intact, otherwise a repaired copy or generated
/// silence. Generated files have relative paths, from <paramref name="folder"/>.
/// </summary>
/// <param name="source">The folder with the chunks.</param>
/// <param name="folder">Folder for generated files.</param>
internal sealed class PieceFiles(ChunkFolder source, string folder)
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
        using var file = new FileStream(Path.Combine(folder, name), FileMode.Create, FileAccess.Write);
        var writer = new OggOpusWriter(file);
        content(writer);
        writer.Complete();
        return name;
    }

    private void Copy(Piece.OfChunk piece, OggOpusWriter writer)
    {
        using var chunk = UntrustedFile.Open(source.PathOf(piece.Chunk), out var problem)
            ?? throw new FinalizationException($"{source.PathOf(piece.Chunk)} cannot be read any more ({problem}).");
        using var file = chunk.OpenStream(ChunkFolder.MaxChunkBytes);
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
