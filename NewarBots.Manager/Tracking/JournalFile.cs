using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Reads a session's <see cref="Journal"/> after its recorder has exited. A compromised bot may have written anything there, so the sizes of
/// files and lines are limited.
/// </summary>
internal static class JournalFile
{
    /// <summary>Longer lines are skipped. A recorder's lines have a few hundred characters.</summary>
    private const int LongestLine = 64 * 1024;

    /// <summary>Later lines are not read. A day of messages and speakers needs half of this.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    /// <param name="folder">The session's folder.</param>
    /// <returns>The lines without line breaks. None if the journal is missing or no regular file.</returns>
    public static IEnumerable<string> Lines(string folder)
    {
        using var journal = UntrustedFile.Open(Path.Combine(folder, Journal.FileName), out _);
        if (journal is null)
            yield break;
        using var reader = new StreamReader(journal.OpenStream(MaxBytes));
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
