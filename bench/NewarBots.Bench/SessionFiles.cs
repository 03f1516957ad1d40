using System.Globalization;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Recorder.Recording;

namespace NewarBots.Bench;

/// <summary>The session folder of a bot, the files of an honest recorder, and those that a compromised recorder could leave there.</summary>
internal sealed class SessionFiles(StorageLayout storage, UserId user, SessionId id)
{
    private const int Second = 50;

    private static readonly TimeSpan SwapPause = TimeSpan.FromMilliseconds(1);

    private readonly string _folder = storage.SessionFolder(user, id);

    /// <summary>The assignment, which the image of this benchmark never reads.</summary>
    public RecorderAssignment Assignment() => RecorderAssignment.Parse(File.ReadAllText(Path.Combine(_folder, SessionInput.Assignment)));

    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private long _sequence = StatusSequence.FirstOfRecorder;

    /// <summary>Writes chunks with the recorder's own writer.</summary>
    /// <param name="packets">The audio.</param>
    public void Record(IEnumerable<byte[]> packets)
    {
        using var writer = new ChunkWriter(_folder, id, GeneratedChunks.Length, new(_startedAt));
        foreach (var packet in packets)
            writer.Append(packet);
        writer.Complete();
    }

    /// <summary>Appends a status message to the journal. Does nothing if the manager has ended the bot early.</summary>
    /// <param name="status">The status.</param>
    /// <param name="recorded">Length of the recording.</param>
    /// <param name="reason">Why the bot ends, if it does.</param>
    public void Report(BotStatus status, TimeSpan recorded, EndReason? reason = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        try
        {
            WriteJournal([Journal.Format(new(new StatusMessage(id, status, now, ++_sequence, reason, RecordedSeconds: recorded.TotalSeconds, AudibleSeconds: recorded.TotalSeconds)))]);
        }
        catch (DirectoryNotFoundException)
        {
            // The folder is gone.
        }
    }

    private string JournalPath => Path.Combine(_folder, Journal.FileName);

    public string PathOf(string name) => Path.Combine(_folder, name);

    /// <summary>A chunk of one second. Its last page claims to end at another position if <paramref name="packets"/> is more than a second.</summary>
    /// <param name="name">Its name, with the track's folder if any.</param>
    /// <param name="first">Position of the first packet, in packets of 20 ms, from its tags.</param>
    /// <param name="packets">Claimed number of packets.</param>
    /// <param name="start">Start time in its tags.</param>
    /// <param name="packet">The packet to repeat; silence by default.</param>
    public void WriteChunk(string name, long first = 0, long packets = Second, string? start = null, byte[]? packet = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        using var file = File.Create(PathOf(name));
        var page = new OggPage();
        page.TryAdd(OpusHeaders.Head());
        page.WriteTo(file, 1, 0, 0, OggPageMarks.BeginningOfStream);
        page.TryAdd(OpusHeaders.Tags(
        [
            new(ChunkFormat.SessionTag, id.ToString()),
            new(ChunkFormat.StartTag, start ?? TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
            new(ChunkFormat.FirstPacketTag, first.ToString(CultureInfo.InvariantCulture)),
        ]));
        page.WriteTo(file, 1, 1, 0, OggPageMarks.None);
        AddSecond();
        page.WriteTo(file, 1, 2, Second * ChunkFormat.SamplesPerPacket, OggPageMarks.None);
        if (packets <= Second)
            return;
        AddSecond();
        page.WriteTo(file, 1, uint.MaxValue - 1, packets * ChunkFormat.SamplesPerPacket, OggPageMarks.None);

        void AddSecond()
        {
            for (var number = 0; number < Second; number++)
                page.TryAdd(packet ?? OpusHeaders.SilencePacket);
        }
    }

    public void WriteTracks(int count, long first)
    {
        for (var track = 1; track <= count; track++)
            WriteChunk(Path.Combine(StorageLayout.TrackFolderName(track), ChunkFormat.FileName(0)), first);
    }

    /// <summary>Appends lines to the journal.</summary>
    public void WriteJournal(IEnumerable<string> lines)
    {
        using var journal = new StreamWriter(new FileStream(JournalPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
        foreach (var line in lines)
            journal.WriteLine(line);
    }

    /// <summary>A status message with any numbers, which the type would not allow.</summary>
    public string Message(long sequence, string status = "recording", string more = "") =>
        $$$"""{"status":{"sessionId":"{{{id}}}","status":"{{{status}}}","timestamp":1,"sequence":{{{sequence}}}{{{more}}}}}""";

    public static IEnumerable<string> Speakers(int count) => Enumerable.Range(0, count).Select(number => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"speech":{"source":"s{{{number}}}","startSeconds":{{{number * 1e-5:0.00000}}},"endSeconds":{{{(number + 1) * 1e-5:0.00000}}},"level":-20,"name":"n{{{number}}}"}}"""));

    public void WriteEmpty(int count)
    {
        for (var number = 0; number < count; number++)
            File.Create(PathOf($"{number}")).Dispose();
    }

    /// <param name="name">Name of the file, with folders.</param>
    /// <param name="megabytes">Its length; the bytes are random.</param>
    public void WriteJunk(string name, int megabytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        using var file = File.Create(PathOf(name));
        var bytes = new byte[1 << 20];
        for (; megabytes > 0; megabytes--)
        {
            Random.Shared.NextBytes(bytes);
            file.Write(bytes);
        }
    }

    public void Write(string name, byte[] bytes) => File.WriteAllBytes(PathOf(name), bytes);

    public void WriteSparse(string name, long length)
    {
        using var file = File.Create(PathOf(name));
        file.SetLength(length);
    }

    public Task RunAsync(string program, params string[] arguments) =>
        Cli.Wrap(program).WithArguments(arguments).WithWorkingDirectory(_folder).ExecuteAsync();

    /// <summary>Makes the recorder's user the owner of everything, as if the recorder had written it.</summary>
    public Task GiveToRecorderAsync() => RunAsync("chown", "--recursive", "--no-dereference", "--reference=.", ".");

    /// <summary>Exchanges a chunk and a symbolic link with each other until the folder is gone.</summary>
    public async Task SwapAsync(string name, CancellationToken cancellation)
    {
        WriteChunk(name);
        File.CreateSymbolicLink(PathOf("link"), "/etc/passwd");
        while (!cancellation.IsCancellationRequested && Directory.Exists(_folder))
        {
            try
            {
                File.Move(PathOf(name), PathOf("chunk"), overwrite: true);
                File.Move(PathOf("link"), PathOf(name), overwrite: true);
                File.Move(PathOf(name), PathOf("link"), overwrite: true);
                File.Move(PathOf("chunk"), PathOf(name), overwrite: true);
            }
            catch (IOException)
            {
                // The manager has taken one of them.
            }

            // This process must not use up the processors that the manager needs.
            await Task.Delay(SwapPause, TimeProvider.System, CancellationToken.None);
        }
    }
}
