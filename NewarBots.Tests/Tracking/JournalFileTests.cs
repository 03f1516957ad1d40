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
    public void Its_lines_come_as_they_were_written_but_those_that_are_longer_than_any_of_a_recorder() =>
        Gen.Select(Gen.Int[0, 70_000].Array[0, 12], Gen.Bool).Sample((lengths, endsWithLine) =>
        {
            var lines = lengths.Select((length, index) => new string((char)('a' + index), length)).ToList();
            File.WriteAllText(Path, string.Concat(lines.Select(line => $"{line}\n")) + (endsWithLine ? string.Empty : "the last"));

            Assert.Equal(
                lines.Where(line => line.Length < 64 * 1024).Concat(endsWithLine ? [] : ["the last"]), JournalFile.Lines(_folder));
        }, iter: 50, threads: 1);

    [Fact]
    public void One_that_is_not_there_or_a_link_or_too_big_has_none()
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
