using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class RecordingManifestTests
{
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Recordings", "manifest.golden.json");

    private static readonly RecordingManifest Manifest = new()
    {
        SessionId = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001"),
        UserId = UserId.Parse("ada"),
        MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
        BotName = "Adas Notizbüchlein",
        Platform = Platform.GoogleMeet,
        Metadata = new Dictionary<string, string> { ["Room"] = "7" },
        Reason = EndReason.RecorderCrashed,
        Complete = false,
        MissingSeconds = 10,
        Warning = new(EndReason.NoAudio, "10.0 of 24.5 s are missing. The bot received audio that it could not capture."),
        StartedAt = new(2026, 3, 1, 9, 0, 0, 250, TimeSpan.Zero),
        EndedAt = new(2026, 3, 1, 9, 0, 24, 750, TimeSpan.Zero),
        DurationSeconds = 24.5,
        AudibleSeconds = 13.02,
        Format = "ogg",
        Bytes = 91234,
        Sha256 = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
        Chunks =
        [
            new(0, "chunk_00000.ogg", "6b86b273ff34fce19d6b804eff5a3f57", 40123, 0, 10, new(2026, 3, 1, 9, 0, 0, 250, TimeSpan.Zero)),
            new(2, "chunk_00002.ogg", "d4735e3a265e16eee03f59718b9b5d03", 18000, 20, 4.5, null, ChunkProblem.TornTail),
        ],
        Gaps = [new(10, 20, "chunk_missing")],
        Disagreements = [new(21, 24, 1)],
        Speakers =
        [
            new("csrc:4711", "Ada", 5.5, [new(0.4, 2.9, -23), new(21, 24, -31)]),
            new("track:2", null, 1.2, [new(3, 4.2, -40)]),
        ],
        Tracks =
        [
            new(1)
            {
                Name = "Ada",
                File = "0199aaaabbbbccccddddeeeeffff0001.track-1.ogg",
                StartSeconds = 0.4,
                DurationSeconds = 24.1,
                Bytes = 60123,
                Sha256 = "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce",
                Gaps = [new(10.4, 20.4, "chunk_missing")],
            },
            new(2) { Problem = TrackProblem.Undecodable },
        ],
        Ignored =
        [
            new("chunk_00003.ogg", IgnoreReason.Doubled, 18000),
            new("elsewhere", IgnoreReason.SymbolicLink),
        ],
        Damaged = ["track_1/chunk_00001.ogg"],
    };

    [Fact]
    public void The_manifest_has_the_documented_JSON_format()
    {
        using var json = new MemoryStream();
        Manifest.Write(json);

        Assert.Equal(File.ReadAllText(Golden).TrimEnd(), Encoding.UTF8.GetString(json.ToArray()));
    }

    [Fact]
    public void A_manifest_of_an_earlier_version_tells_its_missing_seconds_too()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("manifest-").FullName, "earlier.json");
        var json = JsonNode.Parse(File.ReadAllText(Golden))!.AsObject();
        json.Remove("missingSeconds");
        json.Remove("warning");
        File.WriteAllText(path, json.ToJsonString());

        var read = RecordingManifest.TryRead(path)!;

        Assert.Equal((null, null), (read.MissingSeconds, read.Warning));
        Assert.Equal((10, false, null), (read.ToRecording().MissingSeconds, read.ToRecording().Complete, read.ToRecording().Warning));
    }

    [Fact]
    public void A_written_manifest_is_read_back()
    {
        var read = RecordingManifest.TryRead(Golden)!;

        Assert.Equivalent(Manifest, read, strict: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"version\": 1}")]
    [InlineData("[1]")]
    public void An_invalid_manifest_is_not_read(string text)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, text);

        Assert.Null(RecordingManifest.TryRead(path));

        File.Delete(path);
        Assert.Null(RecordingManifest.TryRead(path));
    }
}
