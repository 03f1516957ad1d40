using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings.Transcripts;

public sealed class PieceCutterTests : IDisposable
{
    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task Pieces_are_the_audio_of_their_place_also_where_they_overlap()
    {
        _session.Write(await OpusPackets.OfToneAsync(1500));
        await _session.RecordAsync();
        using var file = File.OpenRead(_session.Recording);

        var pieces = PieceCutter.Cut(file, [Piece(1, 1000, 200), Piece(0, 100, 300), Piece(2, 250, 50), Piece(3, 1450, 500), Piece(4, 9000, 10)]).ToList();

        Assert.Equal([2, 0, 1, 3], pieces.Select(piece => piece.Piece.Number));
        foreach (var (piece, ogg) in pieces)
        {
            var packets = Math.Min(piece.Audio.End, 1500) - piece.Audio.First;
            var path = Path.Combine(_session.Storage.Root, "piece.ogg");
            await File.WriteAllBytesAsync(path, ogg, TestContext.Current.CancellationToken);
            var samples = await RecordedSession.DecodeAsync(path);
            Assert.Equal(packets * 960, samples.Length);
            // The tone rises by 10 Hz each second. Its second half is far from the start of the piece, where the decoder settles.
            var second = (int)((piece.Audio.First + (packets / 2)) / 50);
            Assert.Equal(400 + (10 * second), FrequencyOf(samples.AsSpan(samples.Length / 2, Math.Min(9600, samples.Length / 2))), 12.0);
        }
    }

    [Fact]
    public async Task Loudness_of_the_recording_tells_sound_from_silence()
    {
        _session.Write(await OpusPackets.EncodeAsync("aevalsrc='if(between(t,2,4),0.3*sin(2*PI*t*300),0)':s=48000:d=6"));
        await _session.RecordAsync();
        var meter = new LoudnessMeter();

        await _session.FFmpeg().RunAsync(
            new([.. FFmpegPcm.Arguments("pipe:0")], TimeSpan.FromSeconds(6)) { Input = _session.Recording, Output = new(meter.ReadAsync, () => meter.HasRead) },
            TestContext.Current.CancellationToken);

        var loud = Assert.Single(meter.Profile.Loud(pause: 1.5));
        Assert.Equal(2, loud.Start, 0.11);
        Assert.Equal(4, loud.End, 0.11);
    }

    private static SpeechPiece Piece(int number, long first, long count) => new(new(Track: null, 0, 30), default) { Number = number, Audio = new(first, count) };

    private static double FrequencyOf(ReadOnlySpan<short> samples)
    {
        var crossings = 0;
        for (var at = 1; at < samples.Length; at++)
            crossings += samples[at - 1] < 0 && samples[at] >= 0 ? 1 : 0;
        return crossings * 48000.0 / samples.Length;
    }
}
