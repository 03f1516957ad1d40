using System.Diagnostics;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

/// <summary>A full disk is freed of files that no recording needs.</summary>
public sealed class FreedStorageTests : IDisposable
{
    /// <summary>At most 4 MiB and 64,000 bytes of audio.</summary>
    private static readonly RecordingBudget OneSecond = new(ChunkFormat.PacketsPerSecond);

    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Chunks_within_the_budget_the_journal_and_some_evidence_stay()
    {
        Write("journal.jsonl", 1000);
        Write("chunk_00000.ogg", 40_000);
        Write("chunk_00001.ogg", 40_000);
        Write("track_1/chunk_00000.ogg", 40_000);
        Write("evidence/1_denied_by_host/page.html", 1000);
        Write("evidence/2_join_failed/page.png", 31 << 20);
        Write("junk", 1 << 20);
        Write("chunk_00000.ogg.tmp", 1000);

        Assert.True(Free(OneSecond) > 1 << 20);

        Assert.Equal(
            ["chunk_00000.ogg", "chunk_00001.ogg", "evidence/1_denied_by_host/page.html", "evidence/2_join_failed/page.png", "journal.jsonl", "track_1/chunk_00000.ogg"],
            Files());
    }

    [Fact]
    public void Chunks_beyond_the_budget_are_deleted_and_the_first_ones_stay()
    {
        for (var index = 0; index < 4; index++)
        {
            Write(ChunkFormat.FileName(index), 3 << 20);
            for (var track = 1; track <= 3; track++)
                Write($"track_{track}/{ChunkFormat.FileName(index)}", 4 << 20);
        }

        Free(OneSecond);

        Assert.Equal(["chunk_00000.ogg"], Files().Where(file => !file.Contains('/', StringComparison.Ordinal)));
        // Eight times as much as for the mix, for all tracks together.
        Assert.Equal(8, Files().Count(file => file.Contains('/', StringComparison.Ordinal)));
    }

    [Fact]
    public void Evidence_beyond_32_MiB_is_deleted()
    {
        for (var number = 0; number < 5; number++)
            Write($"evidence/{number}_join_failed/page.png", 10 << 20);

        Free(OneSecond);

        Assert.Equal(3, Files().Count);
    }

    [Fact]
    public void A_short_chunk_counts_with_all_the_space_that_it_takes()
    {
        Write("chunk_00000.ogg", 1);
        using (var allocated = Process.Start("fallocate", ["--keep-size", "--length", "100M", Path.Combine(_session.Folder, "chunk_00000.ogg")]))
        {
            allocated.WaitForExit();
            Assert.SkipUnless(allocated.ExitCode == 0, "The file system cannot allocate space in advance.");
        }

        Assert.InRange(Free(OneSecond), 100_000_000, long.MaxValue);
        Assert.Empty(Files());
    }

    private long Free(RecordingBudget budget) => SessionFolder.Open(_session.Folder).Free(budget);

    private void Write(string path, int bytes)
    {
        var file = Path.Combine(_session.Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, new byte[bytes]);
    }

    private List<string> Files() =>
        [.. Directory.EnumerateFiles(_session.Folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_session.Folder, file)).Order(StringComparer.Ordinal)];
}
