using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>Makes the transcript of a finished recording: plans the pieces, sends those that no earlier attempt has sent, and publishes the text.</summary>
internal sealed partial class TranscriptMaker(
    StorageLayout storage, FFmpeg ffmpeg, SpeechServer server, IOptions<TranscriptionOptions> options, TimeProvider time,
    ILogger<TranscriptMaker> logger) : IDisposable
{
    /// <summary>If the server has rejected so many pieces and transcribed none, or failed for so many in a row, the cause is probably not the audio.</summary>
    private const int MaxRejected = 3;

    /// <summary>One recording is decoded at a time, because bots that record need the processor.</summary>
    private readonly SemaphoreSlim _measuring = new(1);

    public void Dispose() => _measuring.Dispose();

    /// <param name="bot">A bot with a recording.</param>
    /// <param name="report">Called with the part that is done, from 0 to 1, now and then; never concurrently.</param>
    /// <param name="cancellation">Keeps what was transcribed so far.</param>
    /// <exception cref="SpeechServerException">The speech server gave no usable answer.</exception>
    /// <exception cref="FinalizationException">The recording is missing, or cannot be decoded.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable, or the recording was just deleted.</exception>
    public async Task<Transcript> MakeAsync(Bot bot, Func<double, Task> report, CancellationToken cancellation)
    {
        var recording = storage.Recording(bot.UserId, bot.Id);
        if (!File.Exists(recording) || RecordingManifest.TryRead(storage.Manifest(bot.UserId, bot.Id)) is not { } manifest || manifest.SessionId != bot.Id)
            throw new NoRecordingException(recording);
        var language = bot.Transcript?.Language ?? options.Value.Language;
        var pieces = SpeechPlan.Of(manifest, await MeasureAsync(recording, manifest, cancellation), options.Value.MaxUploadBytes);
        var parts = storage.TranscriptParts(bot.UserId, bot.Id);
        try
        {
            using var results = PieceResults.Open(parts, SpeechPlan.Fingerprint(pieces, manifest.Sha256, options.Value.Model, language, options.Value.Prompt));
            var rejected = await TranscribeAsync(bot, pieces, results, language, report, cancellation);
            var transcript = Describe(bot, manifest, results, rejected, language);
            Publish(bot, recording, transcript);
            return transcript;
        }
        finally
        {
            // A deletion that ran before this file was created has not seen it.
            if (!File.Exists(recording))
                File.Delete(parts);
        }
    }

    /// <summary>Deletes what is kept for a retry, once the result is recorded.</summary>
    public void Forget(Bot bot) => File.Delete(storage.TranscriptParts(bot.UserId, bot.Id));

    /// <returns>Pieces that the server rejected, with the reason.</returns>
    private async Task<IReadOnlyList<(SpeechPiece Piece, SpeechServerException Reason)>> TranscribeAsync(
        Bot bot, IReadOnlyList<SpeechPiece> pieces, PieceResults results, string? language, Func<double, Task> report, CancellationToken cancellation)
    {
        using var progress = new Progress(pieces, results, report);
        var rejected = new ConcurrentQueue<(SpeechPiece Piece, SpeechServerException Reason)>();
        var inARow = 0;
        foreach (var file in pieces.Where(piece => !results.Has(piece.Number)).GroupBy(piece => piece.File.Track).ToList())
        {
            var path = file.Key is { } track ? storage.Track(bot.UserId, bot.Id, track) : storage.Recording(bot.UserId, bot.Id);
            await using var audio = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // A request that was sent is paid for, so a failure of another one does not cancel it. Those that wait are not sent.
            await Parallel.ForEachAsync(
                PieceCutter.Cut(audio, file),
                new ParallelOptions { MaxDegreeOfParallelism = options.Value.MaxConcurrent, CancellationToken = cancellation },
                async (cut, unsent) =>
                {
                    try
                    {
                        var answer = await server.TranscribeAsync(cut.Ogg, cut.Piece.AudioAt.Length, language, unsent, cancellation);
                        results.Add(new(cut.Piece.Number, TranscriptMerger.Place(cut.Piece, answer), answer.Language, answer.HasBadTimes));
                        inARow = 0;
                    }
                    catch (SpeechServerException reason) when (reason.IsAboutPiece)
                    {
                        rejected.Enqueue((cut.Piece, reason));
                        if (Interlocked.Increment(ref inARow) >= MaxRejected && (results.IsEmpty || WillRetry(reason)))
                            throw;
                        return;
                    }

                    await progress.AddAsync(cut.Piece);
                });
        }

        // Without any text, the cause is the server. A repeat without most of the text must not replace the earlier one.
        var isUseless = results.IsEmpty
            || (bot.Transcript?.HasEarlierText is true && 2 * rejected.Sum(one => one.Piece.At.Length) > pieces.Sum(piece => piece.At.Length));
        foreach (var (piece, reason) in rejected.OrderByDescending(one => one.Reason.IsTemporary))
        {
            if (isUseless || WillRetry(reason))
                throw reason;
            Log.Rejected(logger, bot.Id, piece.At.Start, reason.Message);
        }

        return [.. rejected.OrderBy(one => one.Piece.Number)];

        // The last attempt sends all pieces, so that those that never succeed do not hide the text of the others.
        bool WillRetry(SpeechServerException reason) => reason.IsTemporary && !TranscriptLifecycle.IsLast(bot.Transcript!);
    }

    private async Task<LoudnessProfile> MeasureAsync(string recording, RecordingManifest manifest, CancellationToken cancellation)
    {
        var meter = new LoudnessMeter();
        await _measuring.WaitAsync(cancellation);
        try
        {
            await ffmpeg.RunAsync(
                new([.. FFmpegPcm.Arguments("pipe:0")], TimeSpan.FromSeconds(manifest.DurationSeconds))
                {
                    Input = recording,
                    Output = new((pcm, token) => (meter = new LoudnessMeter()).ReadAsync(pcm, token), () => meter.HasRead),
                },
                cancellation);
        }
        finally
        {
            _measuring.Release();
        }

        return meter.Profile;
    }

    private Transcript Describe(
        Bot bot, RecordingManifest manifest, PieceResults results, IReadOnlyList<(SpeechPiece Piece, SpeechServerException Reason)> rejected, string? language)
    {
        return new()
        {
            SessionId = bot.Id,
            Model = options.Value.Model,
            Language = results.All.Where(result => result.Language is not null && result.Segments.Count > 0)
                .GroupBy(result => result.Language)
                .MaxBy(group => group.Sum(result => result.Segments.Sum(segment => segment.End - segment.Start)))?.Key ?? language,
            CreatedAt = time.GetUtcNow(),
            DurationSeconds = manifest.DurationSeconds,
            Segments = TranscriptMerger.Merge(results.All.SelectMany(result => result.Segments), manifest.Speakers),
            Missing = [.. rejected.Select(one => new MissingSpeech(one.Piece.At.Start, one.Piece.At.End, one.Piece.Speaker, one.Piece.Source, one.Reason.Message))],
            Warnings = [.. Warnings(results.All.Count(result => result.HasBadTimes), rejected)],
        };
    }

    private static IEnumerable<string> Warnings(int bad, IReadOnlyList<(SpeechPiece Piece, SpeechServerException Reason)> rejected)
    {
        if (bad > 0)
            yield return $"The speech server reported times outside of the audio for {Turns(bad)}. Their text has the times of the whole turn.";
        if (rejected is [var (piece, reason), ..])
        {
            var first = TimeSpan.FromSeconds(piece.At.Start);
            yield return $"{Turns(rejected.Count)} of speech {(rejected.Count == 1 ? "has" : "have")} no text, the first one at {first:h\\:mm\\:ss}. {reason.Message}";
        }

        static string Turns(int number) => number == 1 ? "1 turn" : $"{number} turns";
    }

    private void Publish(Bot bot, string recording, Transcript transcript)
    {
        var target = storage.Transcript(bot.UserId, bot.Id);
        // A unique name, because another manager that was paused may publish the same transcript.
        var temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}{RecordingConverter.TemporarySuffix}");
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                transcript.Write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        // A deletion removes the recording before the transcript, so either this check or the deletion finds the other's file.
        if (File.Exists(recording))
            return;
        File.Delete(target);
        throw new NoRecordingException(recording);
    }

    private sealed class Progress(IReadOnlyList<SpeechPiece> pieces, PieceResults results, Func<double, Task> report) : IDisposable
    {
        private readonly SemaphoreSlim _slot = new(1);
        private readonly double _all = pieces.Sum(piece => piece.At.Length);
        private double _done = pieces.Where(piece => results.Has(piece.Number)).Sum(piece => piece.At.Length);

        public async Task AddAsync(SpeechPiece piece)
        {
            await _slot.WaitAsync();
            try
            {
                _done += piece.At.Length;
                await report(Math.Min(1, _done / _all));
            }
            finally
            {
                _slot.Release();
            }
        }

        public void Dispose() => _slot.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The speech server rejected the speech of bot {SessionId} at {Seconds:0.0} s, the transcript is made without it: {Error}")]
        public static partial void Rejected(ILogger logger, SessionId sessionId, double seconds, string error);
    }
}

/// <summary>The recording was deleted, or its manifest is missing.</summary>
internal sealed class NoRecordingException(string path) : FinalizationException($"{path} or its manifest is missing.")
{
    public override string Explanation => "The recording or its manifest is missing.";
}
