using NewarBots.Contract;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// A session's <see cref="Journal"/> on the disk, once its recorder is gone. A bot could have put anything there: a link is not
/// followed, a pipe, which looks empty and would never end, is not opened, and neither a file nor a line without end takes memory.
/// </summary>
internal static class JournalFile
{
    /// <summary>Longer lines are skipped; the recorder's have a few hundred characters.</summary>
    private const int LongestLine = 64 * 1024;

    /// <summary>A day of messages and speakers needs half of it.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    public static bool IsTooBig(FileInfo journal) => journal.Length > MaxBytes;

    /// <param name="folder">The session's.</param>
    /// <returns>Its lines, without their ends; none where there is no journal that can be read.</returns>
    public static IEnumerable<string> Lines(string folder)
    {
        var journal = new FileInfo(Path.Combine(folder, Journal.FileName));
        return journal is { Exists: true, LinkTarget: null, Length: > 0 } && !IsTooBig(journal) ? Lines(journal) : [];
    }

    private static IEnumerable<string> Lines(FileInfo journal)
    {
        using var reader = journal.OpenText();
        var buffer = new char[LongestLine];
        var length = 0;
        var isSkipping = false;
        int read;
        while ((read = reader.Read(buffer, length, buffer.Length - length)) > 0)
        {
            length += read;
            var begin = 0;
            while (Array.IndexOf(buffer, '\n', begin, length - begin) is >= 0 and var end)
            {
                if (!isSkipping)
                    yield return new(buffer, begin, end - begin);
                isSkipping = false;
                begin = end + 1;
            }

            length -= begin;
            Array.Copy(buffer, begin, buffer, 0, length);
            if (length < buffer.Length)
                continue;
            isSkipping = true;
            length = 0;
        }

        if (length > 0 && !isSkipping)
            yield return new(buffer, 0, length);
    }
}
