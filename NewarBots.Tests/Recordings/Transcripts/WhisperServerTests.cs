using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings.Transcripts;

/// <summary>The protocol with a real server of whisper.cpp. Its words are invented, but their form and the errors are real.</summary>
[Trait("Suite", "Long")]
public sealed class WhisperServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Recording_is_transcribed_by_whisper_cpp_with_words_at_times_of_the_recording()
    {
        await using var server = await StartAsync();
        await using var host = new QueueingManager { Settings = [("Transcription__Endpoint", server.Url), ("Transcription__MaxConcurrent", "1")] };
        await host.InitializeAsync();
        var id = await PlacedBots.RecordedAsync(host, "Weekly");

        await host.Manager.PostAsync($"/bots/{id}/transcript?language=en");
        var bot = await Eventually.NotNullAsync(
            async () => (await host.Manager.GetAsync($"/bots/{id}")).Body is { } shown && (string?)shown["transcript"]!["status"] is "completed" or "failed" ? shown : null, TimeSpan.FromMinutes(4));

        Assert.True((string?)bot["transcript"]!["status"] == "completed", $"{bot}\n{host.Manager.Output}");
        Assert.Equal("english", (string?)bot["transcript"]!["language"]);
        var transcript = Transcript.TryRead(new StorageLayout(host.Manager.Storage).Transcript(UserId.Parse("anna"), id))!;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', transcript.Segments));
        Assert.Empty(transcript.Missing);
        Assert.NotEmpty(transcript.Segments);
        Assert.All(transcript.Segments, segment => Assert.True(segment.Start >= 0 && segment.Start <= segment.End && segment.End <= transcript.DurationSeconds + 0.5, $"{segment}"));
        Assert.Contains(transcript.Segments, segment => segment is { Words.Count: > 0, Confidence: not null });
        Assert.Equal(HttpStatusCode.OK, (await host.Manager.GetAsync($"/bots/{id}/transcript?format=vtt")).Status);
    }

    [Fact]
    public async Task Audio_that_whisper_cpp_cannot_read_is_a_failure_of_its_piece()
    {
        await using var server = await StartAsync();
        using var client = new SpeechServer(Options.Create(new TranscriptionOptions { Endpoint = server.Url }), TimeProvider.System, NullLogger<SpeechServer>.Instance);

        var error = await Assert.ThrowsAsync<SpeechServerException>(() => client.TranscribeAsync([1, 2, 3], 2, "en", Cancellation, Cancellation));

        Assert.Equal(("The speech server failed (500): FFmpeg conversion failed.", true), (error.Message, error.IsAboutPiece));
    }

    private static async Task<WhisperServer> StartAsync()
    {
        var (program, reason) = await WhisperServer.FindAsync();
        Assert.SkipWhen(program is null, reason ?? string.Empty);
        return await WhisperServer.StartAsync(program!);
    }
}
