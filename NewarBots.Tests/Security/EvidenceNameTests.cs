using System.IO.Compression;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>A compromised recorder chooses evidence names that would be unpacked outside the target folder.</summary>
public sealed class EvidenceNameTests
{
    [Fact]
    public async Task Zip_entries_stay_inside_the_target_folder_and_their_number_is_limited()
    {
        using var session = new RecordedSession();
        var evidence = Path.Combine(session.Folder, StorageLayout.EvidenceFolderName);
        Write("1_denied_by_host", "page.html");
        Write("1_denied_by_host", "..\\..\\start.bat");
        Write("1_denied_by_host", "line\nbreak.txt");
        Write("1_denied_by_host", "C:start.bat");
        Write("1_denied_by_host", ".hidden");
        Write("..\\..\\windows", "page.html");
        File.CreateSymbolicLink(Path.Combine(evidence, "1_denied_by_host", "passwd"), "/etc/passwd");
        for (var i = 0; i < 1_000; i++)
            Write("2_unexpected", $"{i}.txt");
        var evidenceFolder = new EvidenceFolder(session.Storage);

        evidenceFolder.Keep(SessionFolder.Find(session.Storage, session.Bot.UserId, session.Bot.Id)!, session.Bot.UserId, session.Bot.Id, TestContext.Current.CancellationToken);
        using var packed = new MemoryStream();
        await evidenceFolder.PackAsync(session.Bot, "{}"u8.ToArray(), (_, _) => Task.CompletedTask, packed, TestContext.Current.CancellationToken);
        using var zip = new ZipArchive(packed);

        Assert.Contains("1_denied_by_host/page.html", zip.Entries.Select(entry => entry.FullName));
        Assert.All(zip.Entries, entry => Assert.Matches("^([a-zA-Z0-9_]+/)?[a-zA-Z0-9_][a-zA-Z0-9_.]*$", entry.FullName));
        Assert.DoesNotContain(zip.Entries, entry => entry.FullName.Contains("passwd", StringComparison.Ordinal));
        Assert.InRange(zip.Entries.Count, 100, 300);

        void Write(string failure, string name) =>
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(evidence, failure)).FullName, name), "seen");
    }

    [Fact]
    public void Entries_that_cannot_be_opened_count_toward_the_limit()
    {
        using var session = new RecordedSession();
        var folder = Directory.CreateDirectory(Path.Combine(session.Folder, StorageLayout.EvidenceFolderName, "1_unexpected")).FullName;
        for (var i = 0; i < 600; i++)
            File.CreateSymbolicLink(Path.Combine(folder, $"{i}.txt"), "/etc/passwd");
        File.WriteAllText(Path.Combine(folder, "last.txt"), "seen");

        Assert.Empty(SessionFolder.Find(session.Storage, session.Bot.UserId, session.Bot.Id)!.Evidence());
    }
}
