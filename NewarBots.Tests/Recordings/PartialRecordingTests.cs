using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class PartialRecordingTests : IDisposable
{
    private readonly RecordedSession _session = new();
    private readonly PartialRecording _partials;

    public PartialRecordingTests()
    {
        var options = Microsoft.Extensions.Options.Options.Create(_session.Options);
        _partials = new(
            _session.Storage, new(new(TimeProvider.System), TimeProvider.System, NullLogger<AssemblyProcess>.Instance), new(TimeProvider.System), options,
            TimeProvider.System, NullLogger<PartialRecording>.Instance);
    }

    public void Dispose()
    {
        _partials.Dispose();
        _session.Dispose();
    }

    [Fact]
    public async Task All_closed_chunks_are_included_and_the_session_folder_is_unchanged()
    {
        var tone = await OpusPackets.OfToneAsync(1700);
        _session.Write(tone);
        var before = Directory.GetFiles(_session.Folder).Order(StringComparer.Ordinal);

        Assert.Equal(3, _partials.ClosedChunks(_session.Bot.UserId, _session.Bot.Id));
        var path = await AssembleAsync(3);

        Assert.Equal(await _session.DecodeAsync(tone.Take(1500)), await RecordedSession.DecodeAsync(path!));
        Assert.Equal(before, Directory.GetFiles(_session.Folder).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_same_chunks_give_the_same_bytes_after_more_chunks_were_added()
    {
        var tone = await OpusPackets.OfToneAsync(2600);
        _session.Write([.. tone.Take(1100)]);
        var first = await File.ReadAllBytesAsync((await AssembleAsync(2))!, TestContext.Current.CancellationToken);
        _partials.Delete(_session.Bot.UserId, _session.Bot.Id);

        _session.Write(tone);

        Assert.Equal(first, await File.ReadAllBytesAsync((await AssembleAsync(2))!, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_chunk_being_written_is_not_included()
    {
        Assert.Equal(0, _partials.ClosedChunks(_session.Bot.UserId, _session.Bot.Id));
        _session.Write(await OpusPackets.OfToneAsync(400));
        Assert.Equal(0, _partials.ClosedChunks(_session.Bot.UserId, _session.Bot.Id));

        Assert.Null(await AssembleAsync(1));
    }

    [Fact]
    public async Task Silence_replaces_a_chunk_that_is_a_link_or_a_pipe()
    {
        var tone = await OpusPackets.OfToneAsync(2600);
        _session.Write(tone);
        var elsewhere = Path.Combine(_session.Storage.Root, "elsewhere.ogg");
        File.Move(_session.ChunkPath(1), elsewhere);
        File.CreateSymbolicLink(_session.ChunkPath(1), elsewhere);
        File.Delete(_session.ChunkPath(2));
        await CliWrap.Cli.Wrap("mkfifo").WithArguments(_session.ChunkPath(2)).ExecuteAsync();

        var samples = await RecordedSession.DecodeAsync((await AssembleAsync(5))!);

        Assert.Equal(2500 * 960, samples.Length);
        Assert.All(samples.Skip(600 * 960).Take(800 * 960), sample => Assert.InRange(sample, -1, 1));
    }

    [Fact]
    public async Task Only_the_latest_files_are_kept_until_the_bot_ends()
    {
        _session.Write(await OpusPackets.OfToneAsync(2600));
        foreach (var chunks in (int[])[1, 2, 3, 4])
            await AssembleAsync(chunks);

        var folder = _session.Storage.SoFarFolder(_session.Bot.UserId, _session.Bot.Id);
        Assert.Equal(2, Directory.GetFileSystemEntries(folder).Length);
        _partials.Delete(_session.Bot.UserId, _session.Bot.Id);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task An_existing_file_opens_while_the_file_of_another_bot_is_being_assembled()
    {
        var tone = await OpusPackets.OfToneAsync(1100);
        _session.Write(tone);
        var (first, made) = (_session.Bot, await AssembleAsync(2));
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.UseFFmpegScript($"touch '{gate}.begun'; while [ ! -e '{gate}' ]; do sleep 0.05; done; exec ffmpeg \"$@\"");
        _session.Bot = first with { Id = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0002") };
        _session.Write(tone);

        var another = AssembleAsync(2);
        await Eventually.TrueAsync(() => File.Exists($"{gate}.begun"));
        var existing = await _partials.OpenAsync(first, 2, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.Equal(made, NameOf(existing));
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        Assert.NotNull(await another);
    }

    [Fact]
    public async Task Concurrency_is_limited_and_a_cancelled_request_frees_its_slot()
    {
        var tone = await OpusPackets.OfToneAsync(600);
        var (running, most, gate) = (Path.Combine(_session.Storage.Root, "running"), Path.Combine(_session.Storage.Root, "most"), Path.Combine(_session.Storage.Root, "gate"));
        Directory.CreateDirectory(running);
        OtherUsers.Allow(running);
        // Each run has another user.
        await File.WriteAllTextAsync(most, "", TestContext.Current.CancellationToken);
        OtherUsers.Allow(most);
        _session.UseFFmpegScript(
            $"mkdir '{running}'/$$; ls '{running}' | wc -l >> '{most}'; while [ ! -e '{gate}' ]; do sleep 0.05; done; ffmpeg \"$@\"; code=$?; rmdir '{running}'/$$; exit $code");
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var all = new List<Task<string?>>();
        for (var number = 0; number < 6; number++)
        {
            _session.Bot = _session.Bot with { Id = SessionId.New(TimeProvider.System), UserId = UserId.Parse($"user{number}") };
            Directory.CreateDirectory(_session.Folder);
            _session.Write(tone);
            all.Add(AssembleAsync(1, number < 4 ? TestContext.Current.CancellationToken : cancelled.Token));
        }

        await Eventually.TrueAsync(() => Directory.GetDirectories(running).Length == _session.Options.MaxConcurrent);
        await cancelled.CancelAsync();
        foreach (var waiting in all.Skip(4))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        Assert.All(await Task.WhenAll(all.Take(4)), Assert.NotNull);
        var counts = await File.ReadAllLinesAsync(most, TestContext.Current.CancellationToken);
        Assert.Equal(4, counts.Length);
        Assert.Equal(_session.Options.MaxConcurrent, counts.Max(count => int.Parse(count, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task One_user_cannot_keep_the_others_waiting()
    {
        var tone = await OpusPackets.OfToneAsync(1100);
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.UseFFmpegScript($"while [ ! -e '{gate}' ]; do sleep 0.05; done; exec ffmpeg \"$@\"");
        var requests = new List<Task<PartialFile>>();
        for (var number = 0; number < PartialRecording.MaxWaitingOfOneUser; number++)
            requests.Add(RequestAsync("ada"));

        Assert.Equal(new PartialFile.QueueFull(PartialRecording.MaxWaitingOfOneUser), await RequestAsync("ada"));
        var ofAnother = RequestAsync("bob");
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        Assert.All(await Task.WhenAll([.. requests, ofAnother]), made => Assert.NotNull(NameOf(made)));
        Assert.NotNull(NameOf(await RequestAsync("ada")));

        Task<PartialFile> RequestAsync(string user)
        {
            _session.Bot = _session.Bot with { Id = SessionId.New(TimeProvider.System), UserId = UserId.Parse(user) };
            _session.Write(tone);
            return _partials.OpenAsync(_session.Bot, 2, TestContext.Current.CancellationToken);
        }
    }

    private async Task<string?> AssembleAsync(int chunks) => await AssembleAsync(chunks, TestContext.Current.CancellationToken);

    private async Task<string?> AssembleAsync(int chunks, CancellationToken cancellation)
    {
        var made = await _partials.OpenAsync(_session.Bot, chunks, cancellation);
        Assert.IsNotType<PartialFile.QueueFull>(made);
        return NameOf(made);
    }

    /// <summary>Closes the file.</summary>
    private static string? NameOf(PartialFile made)
    {
        if (made is not PartialFile.Ready { File: var file })
            return null;
        file.Dispose();
        return file.Name;
    }
}
