using System.Security.Cryptography;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Writes a valid Ogg Opus file for every piece of a plan: the audio of a chunk, or silence. So FFmpeg opens no file of a recorder, only these. Disposing
/// deletes them.
/// </summary>
/// <param name="source">The folder with the chunks.</param>
/// <param name="folder">Folder for the files.</param>
internal sealed class PieceFiles(ChunkFolder source, string folder) : IDisposable
{
    private readonly HashSet<string> _written = [];

    /// <exception cref="BadAudioException">A chunk is no longer the one that the plan was made from.</exception>
    public IReadOnlyList<ConcatenationPart> Write(ChunkManifest plan, CancellationToken cancellation)
    {
        var parts = new List<ConcatenationPart>(plan.Pieces.Count);
        foreach (var piece in plan.Pieces)
        {
            cancellation.ThrowIfCancellationRequested();
            parts.Add(new(Write(piece), piece.Range.Count));
        }

        return parts;
    }

    /// <returns>The path of the file, relative to its folder.</returns>
    /// <exception cref="BadAudioException">A chunk is no longer the one that the plan was made from.</exception>
    public string Write(Piece piece) => piece switch
    {
        Piece.OfChunk chunk => Write(chunk.Chunk.File, writer => Copy(chunk, writer)),
        _ => Write($"silence_{piece.Range.First}.ogg", writer => writer.AppendSilence(piece.Range.Count)),
    };

    public void Dispose()
    {
        foreach (var name in _written)
            File.Delete(Path.Combine(folder, name));
    }

    private string Write(string name, Action<OggOpusWriter> content)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.Create, FileAccess.Write);
        _written.Add(name);
        var writer = new OggOpusWriter(file);
        content(writer);
        writer.Complete();
        return name;
    }

    private void Copy(Piece.OfChunk piece, OggOpusWriter writer)
    {
        using var chunk = UntrustedFile.Open(source.PathOf(piece.Chunk), out var problem)
            ?? throw new BadAudioException($"{source.PathOf(piece.Chunk)} cannot be read any more ({problem}).");
        using var file = chunk.OpenStream(ChunkFolder.MaxChunkBytes);
        using var sha256 = SHA256.Create();
        using var hashed = new CryptoStream(file, sha256, CryptoStreamMode.Read);
        var pages = new ChunkPages(hashed);
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

        if (Convert.ToHexStringLower(sha256.Hash!) != piece.Chunk.Sha256)
            throw new BadAudioException($"{chunk.Path} has changed since it was read.");
    }
}
