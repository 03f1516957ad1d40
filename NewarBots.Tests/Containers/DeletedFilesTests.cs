using System.Diagnostics;
using NewarBots.Manager.Containers;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers;

public sealed class DeletedFilesTests : IDisposable
{
    private const int Megabyte = 1024 * 1024;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("newarbots-deleted-");

    public DeletedFilesTests() => Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory]
    [InlineData("""open my $f, "+>", "junk"; print $f "x" x (3 << 20); $f->flush; unlink "junk";""", 3)]
    [InlineData("""open my $f, "+>", "junk"; print $f "x" x (3 << 20); $f->flush; open my $g, "<", "junk"; unlink "junk";""", 3)]
    [InlineData("""open my $f, "+>", "junk"; print $f "x" x (3 << 20); $f->flush; syscall(9, 0, 3 << 20, 1, 1, fileno($f), 0); close $f; unlink "junk";""", 3)]
    // The first thread ends, and another one keeps the mapping.
    [InlineData("""use threads; open my $f, "+>", "junk"; print $f "x" x (3 << 20); $f->flush; syscall(9, 0, 3 << 20, 1, 1, fileno($f), 0); close $f; unlink "junk"; threads->create(sub { open my $d, ">", "done"; sleep 600 })->detach; syscall(60, 0);""", 3)]
    [InlineData("""open my $f, "+>", "junk"; print $f "x" x (3 << 20); $f->flush;""", 0)]
    [InlineData("""open my $f, "+>", "/dev/shm/newarbots-$$"; print $f "x" x (3 << 20); $f->flush; unlink "/dev/shm/newarbots-$$";""", 0)]
    public async Task Deleted_files_on_the_disk_that_are_open_or_mapped_count_once(string script, int megabytes)
    {
        using var process = await RunAsync(script);

        var bytes = DeletedFiles.Measure([process.Id], Disk, out var isUnusual);

        Assert.Equal((megabytes, false), ((int)(bytes / Megabyte), isUnusual));
        process.Kill();
    }

    [Fact]
    public async Task More_open_files_than_a_recorder_has_are_unusual()
    {
        // Fewer than any limit of one process.
        const string script = """open my $f, "<", "/dev/null"; for my $number (100 .. 900) { my $to = $number + 0; syscall(33, fileno($f), $to) }""";
        var processes = new List<Process>();
        for (var number = 0; number < 3; number++)
            processes.Add(await RunAsync(script));
        var ids = processes.Select(process => process.Id).ToList();

        DeletedFiles.Measure(ids, Disk, out var isUnusual);
        Assert.False(isUnusual);
        DeletedFiles.Measure(Enumerable.Repeat(ids, 200).SelectMany(id => id), Disk, out isUnusual);

        Assert.True(isUnusual);
        foreach (var process in processes)
        {
            process.Kill();
            process.Dispose();
        }
    }

    [Fact]
    public void A_process_that_has_ended_has_none() => Assert.Equal(0, DeletedFiles.Measure([int.MaxValue], Disk, out _));

    private ulong Disk
    {
        get
        {
            using var folder = UntrustedFolder.OpenTrusted(_root.FullName, out _);
            return folder!.Disk;
        }
    }

    /// <summary>Runs the script until it is done, and leaves the process there.</summary>
    private async Task<Process> RunAsync(string script)
    {
        var start = new ProcessStartInfo("perl", ["-MIO::Handle", "-e", $"{script} open my $done, '>', 'done'; sleep 600"]) { WorkingDirectory = _root.FullName };
        var process = Process.Start(start)!;
        var done = Path.Combine(_root.FullName, "done");
        await Eventually.TrueAsync(() => process.HasExited || File.Exists(done));
        Assert.False(process.HasExited);
        File.Delete(done);
        return process;
    }
}
