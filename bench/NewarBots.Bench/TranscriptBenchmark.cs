using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;

namespace NewarBots.Bench;

/// <summary>
/// Transcribes a long recording of several speakers who take turns, with a speech server that answers at once. All cost is then the manager's own, FFmpeg
/// and the server's share of this process included.
/// </summary>
internal sealed class TranscriptBenchmark : Benchmark
{
    private const int TurnSeconds = 7;

    private static readonly TimeSpan MemoryInterval = TimeSpan.FromMilliseconds(50);

    public override string Name => "transcript";

    public override string Summary => "minutes=120 speakers=4: the manager's own cost of a transcript (goal: CPU under 2 % of the audio's length, memory independent of it)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var minutes = arguments.Int("minutes", 120);
        var speakers = arguments.Int("speakers", 4);
        PrintLoad("before");
        await MeasureAsync(Math.Max(1, minutes / 10), speakers, cancellation);
        await MeasureAsync(minutes, speakers, cancellation);
        PrintLoad("after");
    }

    private static async Task MeasureAsync(int minutes, int speakers, CancellationToken cancellation)
    {
        var root = Directory.CreateTempSubdirectory("newarbots-bench-").FullName;
        try
        {
            var storage = new StorageLayout(root);
            var bot = await RecordAsync(storage, minutes, speakers, cancellation);
            using var server = new InstantServer();
            var options = Options.Create(new TranscriptionOptions { Endpoint = server.Url });
            using var client = new SpeechServer(options, TimeProvider.System, NullLogger<SpeechServer>.Instance);
            var finalizing = Options.Create(new FinalizingOptions());
            var maker = new TranscriptMaker(
                storage, new(finalizing, new(TimeProvider.System), NullLogger<FFmpeg>.Instance), client, options, TimeProvider.System, NullLogger<TranscriptMaker>.Instance);

            GC.Collect();
            var (before, watch) = (CpuSeconds(), Stopwatch.StartNew());
            var memory = new PeakMemory(Environment.ProcessId, MemoryInterval);
            Transcript transcript;
            await using (memory)
                transcript = await maker.MakeAsync(bot, _ => Task.CompletedTask, cancellation);
            var cpu = CpuSeconds() - before;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{minutes,4} min, {speakers} speakers: {server.Requests} requests, {transcript.Segments.Count} segments, {watch.Elapsed.TotalSeconds:0.0} s, {cpu:0.0} s of CPU ({cpu / minutes / 60:0.00 %} of the audio), peak memory {memory.OwnMiB:0} MiB, FFmpeg {memory.ChildMiB:0} MiB"));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<Bot> RecordAsync(StorageLayout storage, int minutes, int speakers, CancellationToken cancellation)
    {
        var bot = new Bot
        {
            Id = SessionId.New(TimeProvider.System),
            UserId = UserId.Default,
            Status = BotStatus.Completed,
            MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
            Platform = Platform.GoogleMeet,
            BotName = "Bench",
            Leave = new(),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        Directory.CreateDirectory(storage.FinalFolder(bot.UserId));
        var minute = await GeneratedChunks.EncodeMinuteAsync(cancellation);
        var path = storage.Recording(bot.UserId, bot.Id);
        await using (var file = File.Create(path))
        {
            var writer = new OggOpusWriter(file);
            for (var packet = 0; packet < minutes * 60 * ChunkFormat.PacketsPerSecond; packet++)
                writer.Append(minute[packet % minute.Count]);
            writer.Complete();
        }

        var turns = minutes * 60 / TurnSeconds;
        var manifest = new RecordingManifest
        {
            SessionId = bot.Id,
            UserId = bot.UserId,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.BotName,
            Platform = bot.Platform,
            Metadata = bot.Metadata,
            DurationSeconds = minutes * 60,
            AudibleSeconds = minutes * 60,
            Format = "ogg",
            Bytes = new FileInfo(path).Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path))),
            Chunks = [],
            Gaps = [],
            Speakers =
            [
                .. Enumerable.Range(0, speakers).Select(speaker => new ManifestSpeaker(
                    $"csrc:{speaker}",
                    $"Speaker {speaker}",
                    turns * TurnSeconds / speakers,
                    [.. Enumerable.Range(0, turns).Where(turn => turn % speakers == speaker).Select(turn => new SpeakerSegment(turn * TurnSeconds, (turn + 1) * TurnSeconds, -20))])),
            ],
            Ignored = [],
        };
        await using (var file = File.Create(storage.Manifest(bot.UserId, bot.Id)))
            manifest.Write(file);
        return bot;
    }

    /// <summary>CPU time of this process and of all descendants that have ended, in seconds.</summary>
    private static double CpuSeconds()
    {
        // proc(5): fields 14 to 17 are in ticks of 10 ms. Field 2 may contain spaces and ends with a parenthesis.
        var fields = File.ReadAllText("/proc/self/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / 100.0;
    }

    /// <summary>Answers each upload with the same words.</summary>
    private sealed class InstantServer : IDisposable
    {
        private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
            $$"""{"text": "{{string.Join(' ', Enumerable.Range(0, 20).Select(word => $"word{word}"))}}", "language": "english", "words": [{{string.Join(", ", Enumerable.Range(0, 20).Select(word => FormattableString.Invariant($$"""{"word": "word{{word}}", "start": {{0.3 + (word * 0.3):0.0}}, "end": {{0.5 + (word * 0.3):0.0}}}""")))}}]}""");

        private readonly HttpListener _listener = new();
        private int _requests;

        public InstantServer()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Url);
            _listener.Start();
            _ = AnswerAsync();
        }

        public string Url { get; }

        public int Requests => _requests;

        public void Dispose() => _listener.Close();

        private async Task AnswerAsync()
        {
            while (_listener.IsListening)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    _ = AnswerAsync(context);
                }
                catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        }

        private async Task AnswerAsync(HttpListenerContext context)
        {
            Interlocked.Increment(ref _requests);
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(Answer);
            context.Response.Close();
        }
    }
}
