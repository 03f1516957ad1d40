using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Tracking;

namespace NewarBots.Tests.Tracking;

public sealed class JournalFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-journal-").FullName;

    private string Path => System.IO.Path.Combine(_folder, Journal.FileName);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Lines_are_read_as_written_except_those_that_are_too_long() =>
        Gen.Select(Gen.Int[0, 70_000].Array[0, 12], Gen.Bool).Sample((lengths, endsWithLine) =>
        {
            var lines = lengths.Select((length, index) => new string((char)('a' + index), length)).ToList();
            File.WriteAllText(Path, string.Concat(lines.Select(line => $"{line}\n")) + (endsWithLine ? string.Empty : "the last"));

            Assert.Equal(
                lines.Where(line => line.Length < 64 * 1024).Concat(endsWithLine ? [] : ["the last"]), JournalFile.Lines(_folder));
        }, iter: 50, threads: 1);

    [Fact]
    public void The_first_lines_of_a_journal_that_is_too_long_are_read()
    {
        File.WriteAllText(Path, "first\nsecond\n");
        using (var file = File.OpenWrite(Path))
            file.SetLength(1L << 40);

        Assert.Equal(["first", "second"], JournalFile.Lines(_folder));
    }

    [Fact]
    public void A_journal_that_is_missing_a_link_or_without_line_breaks_has_no_lines()
    {
        Assert.Empty(JournalFile.Lines(_folder));
        File.CreateSymbolicLink(Path, "/etc/passwd");
        Assert.Empty(JournalFile.Lines(_folder));
        File.Delete(Path);
        using (var file = File.Create(Path))
            file.SetLength(1L << 40);
        Assert.Empty(JournalFile.Lines(_folder));
    }
}
