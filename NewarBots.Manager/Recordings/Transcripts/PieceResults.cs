using System.Text.Json;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>
/// Keeps the text of each piece in a file beside the recording, one line per piece. A retry, also by another manager, sends only the other pieces:
/// each costs money or minutes. A file of another plan is replaced.
/// </summary>
internal sealed class PieceResults : IDisposable
{
    private readonly Dictionary<int, PieceResult> _done = [];
    private readonly FileStream _file;

    private PieceResults(FileStream file) => _file = file;

    /// <param name="path">The file.</param>
    /// <param name="fingerprint">The plan (<see cref="SpeechPlan.Fingerprint"/>).</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static PieceResults Open(string path, string fingerprint)
    {
        var results = new PieceResults(new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        try
        {
            results.Load(fingerprint);
            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
    }

    public IReadOnlyCollection<PieceResult> All
    {
        get
        {
            lock (_done)
                return [.. _done.Values];
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_done)
                return _done.Count == 0;
        }
    }

    public bool Has(int piece) => _done.ContainsKey(piece);

    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void Add(PieceResult result)
    {
        lock (_done)
        {
            _done[result.Piece] = result;
            Append(JsonSerializer.SerializeToUtf8Bytes(result, Transcript.Json));
        }
    }

    public void Dispose() => _file.Dispose();

    private void Load(string fingerprint)
    {
        using var reader = new StreamReader(_file, leaveOpen: true);
        var isOfPlan = reader.ReadLine() == fingerprint;
        while (isOfPlan && reader.ReadLine() is { } line)
        {
            try
            {
                if (JsonSerializer.Deserialize<PieceResult>(line, Transcript.Json) is { } result)
                    _done[result.Piece] = result;
            }
            catch (JsonException)
            {
                // A manager was killed while it wrote this line.
            }
        }

        if (!isOfPlan)
        {
            _file.SetLength(0);
            Append(System.Text.Encoding.UTF8.GetBytes(fingerprint));
        }
        else
        {
            _file.Position = _file.Length;
            // Ends a line that was torn.
            _file.WriteByte((byte)'\n');
        }
    }

    private void Append(ReadOnlySpan<byte> line)
    {
        _file.Write(line);
        _file.WriteByte((byte)'\n');
        _file.Flush();
    }
}

/// <param name="Piece">The piece's number in the plan.</param>
/// <param name="Segments">Its text on the recording's timeline.</param>
/// <param name="Language">As the server reported it.</param>
/// <param name="HasBadTimes">The server's times were outside of the audio.</param>
internal sealed record PieceResult(int Piece, IReadOnlyList<TranscriptSegment> Segments, string? Language, bool HasBadTimes);
