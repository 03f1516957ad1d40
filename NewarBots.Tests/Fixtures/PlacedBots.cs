using System.Security.Cryptography;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>Ended bots that are written directly to Redis and disk.</summary>
internal static class PlacedBots
{
    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    /// <summary>A bot that recorded a minute, with gaps, two speakers, one of whom rejoined, and a file of its first track.</summary>
    /// <param name="host">The manager.</param>
    /// <param name="name">Used for everything that users and meetings can name: bot, metadata, meeting and speakers.</param>
    /// <param name="gaps">Replaces its two gaps.</param>
    public static async Task<SessionId> RecordedAsync(QueueingManager host, string name, params IReadOnlyList<Gap> gaps)
    {
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued($"https://meet.google.com/rehearsal/?scenario={Uri.EscapeDataString(name)}") with
        {
            Status = BotStatus.Completed,
            Reason = EndReason.BrowserCrashed,
            BotName = name,
            Metadata = new Dictionary<string, string> { [name] = name },
            CreatedAt = ended.AddSeconds(-70),
            JoiningAt = ended.AddSeconds(-66),
            RecordingAt = ended.AddSeconds(-61),
            EndedAt = ended,
            Chunks = 6,
            RecordedSeconds = 60,
            AudibleSeconds = 41,
            Error = $"The page is no call any more: https://meet.google.com/ \"{name}\" shows [].",
        };
        await PlaceAsync(
            host,
            bot,
            gaps.Count > 0 ? gaps : [new(20, 24.5, "browser_restarted"), new(50, 52, name)],
            [new("track:1", name, 12, [new(0, 8, -20), new(30, 34, -24)]), new(name, Name: null, 9, [new(9, 18, -30)]), new("track:3", name, 4, [new(40, 44, -20)])],
            ["-f", "lavfi", "-i", "sine=frequency=300:duration=60,volume=0:enable='between(t,20,24.5)+between(t,50,52)'", "-c:a", "libopus", "-b:a", "24k"],
            [new(1) { Name = name, File = StorageLayout.TrackName(bot.Id, 1), StartSeconds = 0, DurationSeconds = 60 }]);
        var storage = new StorageLayout(host.Manager.Storage);
        File.Copy(storage.Recording(bot.UserId, bot.Id), storage.Track(bot.UserId, bot.Id, 1));
        return bot.Id;
    }

    /// <summary>
    /// A bot that recorded four hours: two minutes of a tone and two of silence in turn, six speakers who alternate every ten seconds, and a gap of
    /// one minute at the end of each half hour except the last.
    /// </summary>
    public static async Task<SessionId> RecordedFourHoursAsync(QueueingManager host)
    {
        const int seconds = 4 * 3600;
        const int turn = 10;
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued() with
        {
            Status = BotStatus.Completed,
            Reason = EndReason.MeetingEnded,
            BotName = "Four hours",
            CreatedAt = ended.AddSeconds(-seconds - 10),
            JoiningAt = ended.AddSeconds(-seconds - 5),
            RecordingAt = ended.AddSeconds(-seconds),
            EndedAt = ended,
            Chunks = seconds / 10,
            RecordedSeconds = seconds,
            AudibleSeconds = seconds / 2,
        };
        var piece = Path.Combine(host.Manager.Storage, $"{bot.Id}.piece.ogg");
        await FFmpegAsync("-f", "lavfi", "-i", "sine=frequency=300:duration=120,apad=whole_dur=240", "-c:a", "libopus", "-b:a", "12k", "-compression_level", "0", piece);
        await PlaceAsync(
            host,
            bot,
            [.. Enumerable.Range(1, 7).Select(half => new Gap((half * 1800) - 60, half * 1800, "browser_restarted"))],
            [.. Enumerable.Range(0, 6).Select(speaker => new ManifestSpeaker(
                $"track:{speaker}",
                $"Speaker {speaker}",
                seconds / 6,
                [.. Enumerable.Range(0, seconds / turn / 6).Select(round => ((round * 6) + speaker) * turn).Select(start => new SpeakerSegment(start, start + turn, -20))]))],
            ["-stream_loop", $"{(seconds / 240) - 1}", "-i", piece, "-c", "copy"],
            []);
        return bot.Id;
    }

    /// <summary>A recorded bot with a transcript.</summary>
    public static async Task<SessionId> TranscribedAsync(QueueingManager host, string name)
    {
        var id = await RecordedAsync(host, name);
        await InStoreAsync(host, async store =>
        {
            var bot = await store.Commands.UpdateAsync(id, known => known with { Transcript = new(TranscriptStatus.Completed) { Language = "english", Model = "whisper-1" } });
            await using var file = File.Create(new StorageLayout(host.Manager.Storage).Transcript(bot!.UserId, id));
            new Transcript
            {
                SessionId = id,
                Model = "whisper-1",
                Language = "english",
                CreatedAt = SampleBots.Noon,
                DurationSeconds = 60,
                Segments = [new(1, 2, "Good morning.") { Speaker = name, Source = "track:1", Confidence = 0.9, Overlaps = ["Ben"], Words = [new(1, 1.5, "Good"), new(1.5, 2, "morning.")] }],
            }.Write(file);
        });
        return id;
    }

    /// <summary>A recorded bot with two participants since noon: one spoke and left after a quarter of an hour, the other joined after a minute and stayed.</summary>
    public static async Task<SessionId> AttendedAsync(QueueingManager host, string first, string second)
    {
        var id = await RecordedAsync(host, first);
        await InStoreAsync(host, store => store.Commands.UpdateAsync(id, known => known with
        {
            Speakers = [new(first, "track:1", 12, 0, 34)],
            RecordingAt = SampleBots.Noon,
            People = new()
            {
                Attendees =
                [
                    new(first, SampleBots.Noon, SampleBots.Noon.AddMinutes(15), SampleBots.Noon.AddMinutes(15)),
                    new(second, SampleBots.Noon.AddMinutes(1), LeftAt: null, SampleBots.Noon.AddMinutes(1)),
                ],
                Changes = 3,
            },
        }));
        return id;
    }

    /// <summary>A bot that the host denied, with evidence of that (the tenth occasion) and of an earlier one.</summary>
    public static async Task<SessionId> DeniedAsync(QueueingManager host)
    {
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued() with
        {
            Status = BotStatus.Failed,
            Reason = EndReason.DeniedByHost,
            CreatedAt = ended.AddSeconds(-20),
            JoiningAt = ended.AddSeconds(-15),
            EndedAt = ended,
            Error = "The page shows denied.request.",
        };
        var storage = new StorageLayout(host.Manager.Storage);
        foreach (var occasion in (string[])["10_denied_by_host", "2_unexpected"])
        {
            var folder = Directory.CreateDirectory(Path.Combine(storage.Evidence(bot.UserId, bot.Id), occasion));
            await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "screenshot.png"), Picture);
        }

        await File.WriteAllTextAsync(storage.Log(bot.UserId, bot.Id), "Joining");
        await PlaceAsync(host, bot);
        return bot.Id;
    }

    /// <summary>A bot whose container could not be started, so that there is no evidence.</summary>
    public static async Task<SessionId> UnlaunchedAsync(QueueingManager host)
    {
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued() with
        {
            Status = BotStatus.Failed,
            Reason = EndReason.LaunchFailed,
            CreatedAt = ended.AddSeconds(-20),
            EndedAt = ended,
            Error = "The image newarbots/recorder:dev is missing.",
        };
        await PlaceAsync(host, bot);
        return bot.Id;
    }

    /// <summary>A bot whose recorded second could not be assembled. Its only chunk is kept.</summary>
    public static async Task<Bot> UnfinalizedAsync(QueueingManager host)
    {
        var bot = SampleBots.Queued() with
        {
            Status = BotStatus.Failed,
            Reason = EndReason.FinalizationFailed,
            RecorderEnd = new(EndReason.MeetingEnded, Error: null),
            EndedCleanly = true,
            EndedAt = TimeProvider.System.GetUtcNow(),
            LaunchedAt = SampleBots.Noon,
        };
        var folder = new StorageLayout(host.Manager.Storage).SessionFolder(bot.UserId, bot.Id);
        Directory.CreateDirectory(folder);
        using (var writer = new ChunkWriter(folder, bot.Id, ChunkFormat.DefaultLength, new(SampleBots.Noon)))
        {
            foreach (var packet in await OpusPackets.OfToneAsync(50))
                writer.Append(packet);
        }

        var log = new StorageLayout(host.Manager.Storage).Log(bot.UserId, bot.Id);
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        await File.WriteAllTextAsync(log, "Joining");
        await PlaceAsync(host, bot);
        return bot;
    }

    /// <summary>Deletes the record like another manager: all managers are notified.</summary>
    public static Task DeleteAsync(QueueingManager host, SessionId id) =>
        InStoreAsync(host, async store => await store.Commands.DeleteAsync(Assert.IsType<Bot>(await store.Queries.FindAsync(id))));

    private static Task PlaceAsync(QueueingManager host, Bot bot) => InStoreAsync(host, async store => Assert.True(await store.Recovery.AdoptAsync(bot)));

    /// <summary>Also creates its recording with FFmpeg and these arguments.</summary>
    private static async Task PlaceAsync(
        QueueingManager host, Bot bot, IReadOnlyList<Gap> gaps, IReadOnlyList<ManifestSpeaker> speakers, string[] audio, IReadOnlyList<ManifestTrack> tracks)
    {
        var storage = new StorageLayout(host.Manager.Storage);
        var recording = storage.Recording(bot.UserId, bot.Id);
        Directory.CreateDirectory(storage.FinalFolder(bot.UserId));
        await FFmpegAsync([.. audio, recording]);
        var manifest = new RecordingManifest
        {
            SessionId = bot.Id,
            UserId = bot.UserId,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.BotName,
            Platform = bot.Platform,
            Metadata = bot.Metadata,
            Reason = bot.Reason,
            StartedAt = bot.RecordingAt,
            EndedAt = bot.EndedAt!.Value,
            DurationSeconds = bot.RecordedSeconds,
            AudibleSeconds = bot.AudibleSeconds!.Value,
            Format = "ogg",
            Bytes = new FileInfo(recording).Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(recording))),
            Chunks = [],
            Gaps = gaps,
            Speakers = speakers,
            Tracks = tracks,
            Ignored = [],
        };
        var completeness = Completeness.Of(manifest, endedCleanly: true);
        manifest = manifest with
        {
            Complete = completeness.IsComplete,
            MissingSeconds = completeness.MissingSeconds,
            Warning = completeness.Warning(last: null, manifest.DurationSeconds),
        };
        bot = bot with { Recording = manifest.ToRecording() };
        await using (var file = File.Create(storage.Manifest(bot.UserId, bot.Id)))
            manifest.Write(file);
        await File.WriteAllTextAsync(
            storage.Log(bot.UserId, bot.Id),
            $"{bot.BotName}\n10:21:04.117 info: StatusReporter: Status Recording\n10:21:05.250 warn: CallAttendance: The page hides its count\n");
        await PlaceAsync(host, bot);
    }

    private static Task FFmpegAsync(params string[] arguments) =>
        Cli.Wrap("ffmpeg").WithArguments(["-nostdin", "-loglevel", "error", .. arguments]).ExecuteAsync();

    private static async Task InStoreAsync(QueueingManager host, Func<BotStorage, Task> act)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(host.Redis.Configuration);
        using var metrics = new MetricsProbe();
        await act(new(connection, metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System));
    }
}
