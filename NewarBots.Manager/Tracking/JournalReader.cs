using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Reads a session's <see cref="Journal"/> in parts, while its recorder writes it and after it has exited. A compromised recorder may write anything
/// there, or shorten and replace the file: that only costs its own messages.
/// </summary>
internal static class JournalReader
{
    /// <summary>
    /// One part: more than a recorder writes in ten minutes. Encoded again as JSON, its messages stay below the largest value that Redis accepts from
    /// the manager (1 MB).
    /// </summary>
    public const int PartBytes = 128 * 1024;

    /// <summary>
    /// How often a journal that became shorter is read again from its beginning. A recorder shortens it only to remove a line that it could not write.
    /// </summary>
    private const int MaxRestarts = 10;

    /// <summary>Reads the complete lines from a position on, or from the beginning if the file is shorter by now.</summary>
    /// <param name="storage">The storage paths.</param>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The session.</param>
    /// <param name="from">The position that the previous part returned.</param>
    /// <param name="isComplete">The recorder has exited: a last line without its line break counts too.</param>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public static JournalPart Read(StorageLayout storage, UserId user, SessionId id, JournalPosition from, bool isComplete)
    {
        using var folder = UntrustedFolder.Open(storage, user, id, out _);
        using var journal = folder?.OpenFile(Journal.FileName, out _);
        var (offset, restarts) = (from.Offset, from.Restarts);
        var length = Math.Min(journal?.Length ?? 0, JournalFile.MaxBytes);
        if (journal is not null && length < offset && restarts < MaxRestarts)
            (offset, restarts) = (0, restarts + 1);
        if (journal is null || length <= offset)
            return new([], offset, restarts, HasMore: false);
        var buffer = new byte[Math.Min(length - offset, PartBytes)];
        var part = buffer.AsSpan(0, journal.Read(buffer, offset));
        var isLast = offset + part.Length >= length;
        var used = part.LastIndexOf((byte)'\n') + 1;
        // A line that fills the whole part is no line of a recorder.
        if (isLast && isComplete || used == 0 && part.Length == PartBytes)
            used = part.Length;
        return new([.. Lines(part[..used])], offset + used, restarts, HasMore: used > 0 && !isLast);
    }

    private static List<string> Lines(ReadOnlySpan<byte> part)
    {
        var lines = new List<string>();
        foreach (var line in part.Split((byte)'\n'))
        {
            if (!part[line].IsEmpty)
                lines.Add(Encoding.UTF8.GetString(part[line]));
        }

        return lines;
    }
}

/// <param name="Lines">Without their line breaks.</param>
/// <param name="Offset">The beginning of the next part, in bytes.</param>
/// <param name="Restarts">See <see cref="JournalPosition.Restarts"/>.</param>
/// <param name="HasMore">More complete lines may follow already.</param>
internal sealed record JournalPart(IReadOnlyList<string> Lines, long Offset, int Restarts, bool HasMore);
