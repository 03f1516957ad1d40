using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Converts a recording to another format on first request, and keeps the result beside it. Concurrent requests wait for the same
/// conversion, which continues even if no request waits any more. Users take turns.
/// </summary>
internal sealed partial class RecordingConverter(
    StorageLayout storage,
    FFmpeg ffmpeg,
    IOptions<FinalizingOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<RecordingConverter> logger)
{
    private const string Result = "converted";

    public const string TemporarySuffix = ".unfinished";

    /// <summary>A temporary file without writes for this long belongs to a crashed manager. The time of a folder does not change while FFmpeg writes in it.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    /// <summary>Conversions that may run or wait. An hour of audio takes a minute, so more would wait too long.</summary>
    public const int MaxQueued = 100;

    /// <summary>So that no user fills the queue.</summary>
    public const int MaxQueuedOfOneUser = 20;

    private readonly FairPlaces _places = new(options.Value.MaxConcurrent, options.Value.MaxConcurrent, maxWaiting: MaxQueued, time);
    private readonly ConcurrentDictionary<string, Lazy<Task>> _running = new();
    private readonly FailedConversions _failed = new(time);

    /// <param name="recording">A finished recording or track.</param>
    /// <param name="length">Length of the audio.</param>
    /// <param name="format">Target format.</param>
    /// <param name="timeout">How long to wait for the conversion.</param>
    /// <param name="cancellation">Stops waiting. The conversion continues.</param>
    /// <returns>The file, or why there is none yet.</returns>
    /// <exception cref="FailedEarlierException">An earlier attempt failed, and it is too early for the next.</exception>
    /// <exception cref="FinalizationException">The recording cannot be converted.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable, or the recording was just deleted.</exception>
    public async Task<Conversion> ConvertAsync(
        string recording, TimeSpan length, AudioFormat format, TimeSpan timeout, CancellationToken cancellation)
    {
        var target = StorageLayout.Converted(recording, format.Name);
        if (File.Exists(target))
            return new Conversion.Ready(target);
        if (!_running.ContainsKey(target))
        {
            _failed.ThrowIfTooEarly(target);
            if (FindFullQueue(target) is { } limit)
                return new Conversion.QueueFull(limit);
        }

        var run = _running.GetOrAdd(target, _ => new(() => RunAsync(recording, length, format, target)));
        try
        {
            await run.Value.WaitAsync(timeout, time, cancellation);
            return new Conversion.Ready(target);
        }
        catch (TimeoutException)
        {
            return new Conversion.Running();
        }
    }

    /// <summary>Deletes temporary files left by crashed managers, also of waveforms.</summary>
    /// <returns>Paths of entries that cannot be deleted.</returns>
    public IReadOnlyList<string> DeleteAbandonedFiles()
    {
        if (!Directory.Exists(storage.FinalRoot))
            return [];
        var abandoned =
            from user in new DirectoryInfo(storage.FinalRoot).EnumerateDirectories()
            from entry in user.EnumerateFileSystemInfos($".*{TemporarySuffix}")
            where time.GetUtcNow().UtcDateTime - entry.LastWriteTimeUtc > AbandonedAfter
            select entry.FullName;
        return [.. abandoned.ToList().Where(path => !WorkFolder.TryDelete(path))];
    }

    /// <returns>The limit that is reached, if any.</returns>
    private int? FindFullQueue(string target)
    {
        var queued = _running.Keys;
        var user = UserOf(target);
        return queued.Count >= MaxQueued ? MaxQueued
            : queued.Count(other => UserOf(other) == user) >= MaxQueuedOfOneUser ? MaxQueuedOfOneUser
            : null;
    }

    /// <summary>Each user's recordings are in one folder.</summary>
    private static string UserOf(string target) => Path.GetDirectoryName(target)!;

    private async Task RunAsync(string recording, TimeSpan length, AudioFormat format, string target)
    {
        // The first request waits no longer than its timeout, too.
        await Task.Yield();
        try
        {
            using var place = await _places.TakeAsync(UserOf(target), revoke: null, lifetime.ApplicationStopping);
            try
            {
                await ConvertAsync(recording, length, format, target);
                _failed.Forget(target);
            }
            catch (Exception exception) when (!lifetime.ApplicationStopping.IsCancellationRequested)
            {
                if (exception is not FileNotFoundException)
                    _failed.Add(target, exception);
                Log.Failed(logger, Path.GetFileName(recording).Split('.')[0], format.Name, exception.Message);
                throw;
            }
        }
        finally
        {
            _running.TryRemove(target, out _);
        }
    }

    private async Task ConvertAsync(string recording, TimeSpan length, AudioFormat format, string target)
    {
        // A unique name, since another manager may be converting the same file.
        using var work = new WorkFolder(Path.Combine(
            Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}{TemporarySuffix}"));
        using var user = ProcessUser.Take();
        work.GiveTo(user.User);
        string[] arguments =
        [
            "-xerror", .. FFmpeg.Input("ogg", "pipe:0"), "-map", "0:a:0", "-map_metadata", "-1", "-map_metadata:s", "-1",
            .. format.Encoding, "-y", $"file:{Result}",
        ];
        var started = time.GetTimestamp();
        await ffmpeg.RunAsync(
            new(arguments, length) { WorkingFolder = work.Root, Input = recording, Target = Result, User = user },
            lifetime.ApplicationStopping);
        var made = work.Take(Result);
        await using (var file = new FileStream(made, FileMode.Open, FileAccess.Write))
            file.Flush(flushToDisk: true);
        File.Move(made, target, overwrite: true);
        Log.Converted(logger, length, target, time.GetElapsedTime(started));

        // A deletion removes the recording before its converted files: either it sees this file, or the recording is gone here.
        if (File.Exists(recording))
            return;
        File.Delete(target);
        throw new FileNotFoundException("The recording was deleted while it was converted.", recording);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Converting the recording of bot {SessionId} to {Format} failed, a later request tries again: {Error}")]
        public static partial void Failed(ILogger logger, string sessionId, string format, string error);

        [LoggerMessage(LogLevel.Information, "Converted {Length} of audio to {File} in {Elapsed}")]
        public static partial void Converted(ILogger logger, TimeSpan length, string file, TimeSpan elapsed);
    }
}

/// <summary>The result of a request to convert a recording.</summary>
internal abstract record Conversion
{
    public sealed record Ready(string Path) : Conversion;

    /// <summary>It continues after the request.</summary>
    public sealed record Running : Conversion;

    /// <param name="Limit">So many conversions run or wait already.</param>
    public sealed record QueueFull(int Limit) : Conversion;
}

/// <summary>An audio format of the API.</summary>
/// <param name="Name">Also the file extension.</param>
/// <param name="ContentType">Media type.</param>
/// <param name="Encoding">FFmpeg's output arguments.</param>
internal sealed record AudioFormat(string Name, string ContentType, IReadOnlyList<string> Encoding)
{
    /// <summary>The format of recordings. Needs no conversion.</summary>
    public static AudioFormat Ogg { get; } = new("ogg", "audio/ogg", []);

    /// <summary>All formats that <see cref="RecordingConverter"/> makes.</summary>
    public static IReadOnlyList<AudioFormat> Converted { get; } =
    [
        new("mp3", "audio/mpeg", ["-c:a", "libmp3lame", "-b:a", "96k", "-f", "mp3"]),
        // faststart: the index comes first, so that a player can start before it has the whole file.
        new("m4a", "audio/mp4", ["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-f", "ipod"]),
        // rf64: a plain WAV file cannot exceed 4 GB (12 hours).
        new("wav", "audio/wav", ["-c:a", "pcm_s16le", "-rf64", "auto", "-f", "wav"]),
        new("flac", "audio/flac", ["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"]),
    ];

    public static IReadOnlyList<AudioFormat> All { get; } = [Ogg, .. Converted];

    public static AudioFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);
}
