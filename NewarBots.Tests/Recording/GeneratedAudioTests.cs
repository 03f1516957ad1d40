using NewarBots.Contract;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Recording;

public sealed class GeneratedAudioTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-generated-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Generated_audio_is_the_first_participant_of_a_rehearsal_at_any_polling_interval()
    {
        var audio = new GeneratedAudio(Start);
        var timeLine = new TimeLine(new(Start));
        using (var writer = new ChunkWriter(_folder.FullName, SessionId.New(TimeProvider.System), TimeSpan.FromSeconds(60), new(Start)))
        {
            foreach (var seconds in new[] { 0.01, 0.03, 0.5, 1.017, 7, 7.02, 11, 25.3, 40 })
            {
                if (audio.Take(Start.AddSeconds(seconds)) is not { } message)
                    continue;
                var batch = CapturedBatch.Parse(message);
                Assert.Equal(new(Silence: 0, Skip: 0, [], CaptureBegins: 0), timeLine.Place(batch) with { Gaps = [] });
                foreach (var packet in batch.Packets)
                    writer.Append(packet.Span);
            }

            writer.Complete();
        }

        var samples = await AudioFile.DecodeAsync(Path.Combine(_folder.FullName, ChunkFormat.FileName(0)));
        var report = TimeCodeReport.Of(samples, participants: 1);
        Assert.True(report.IsClean, report.ToString());
        Assert.Equal(40, samples.Length / (double)AudioFile.SampleRate, tolerance: 0.02);
    }
}
