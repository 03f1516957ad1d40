using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;

namespace NewarBots.Tests.Recordings.Transcripts;

public sealed class SpeechPlanTests
{
    private const long MaxBytes = 25 * 1024 * 1024;

    [Fact]
    public void Turns_of_a_speaker_are_joined_over_short_pauses_only()
    {
        var pieces = Plan(60, [Speaker("csrc:1", "Ada", (1, 3), (4, 6), (20, 22))]);

        Assert.Equal([("Ada", 1, 6), ("Ada", 20, 22)], Summary(pieces));
        Assert.Equal([0, 1], pieces.Select(piece => piece.Number));
    }

    [Fact]
    public void Speaker_with_a_track_file_is_cut_from_it_at_its_own_position()
    {
        var pieces = Plan(60, [Speaker("track:2", "Ada", (12, 14)), Speaker("track:3", "Ben", (12, 15))], Track(2, start: 10, length: 30));

        Assert.Equal([2, null], pieces.OrderBy(piece => piece.Speaker).Select(piece => piece.File.Track));
        var ada = pieces.Single(piece => piece.Speaker is "Ada");
        // 0.3 s of context before the second second of the file.
        Assert.Equal(new PacketRange(85, 130), ada.Audio);
        Assert.Equal(11.7, ada.AudioAt.Start, 0.001);
    }

    [Fact]
    public void Each_moment_of_the_mix_is_in_one_piece_and_the_holder_keeps_the_floor()
    {
        var pieces = Plan(60, [Speaker("csrc:1", "Ada", (1, 10)), Speaker("csrc:2", "Ben", (4, 5), (9, 14)), Speaker("csrc:3", "Cleo", (30, 31))]);

        Assert.Equal([("Ada", 1, 10), ("Ben", 10, 14), ("Cleo", 30, 31)], Summary(pieces));
    }

    [Fact]
    public void Louder_of_two_who_begin_together_has_the_floor()
    {
        var pieces = Plan(60, [Speaker("csrc:1", "Ada", -40, (1, 5)), Speaker("csrc:2", "Ben", -20, (1, 3))]);

        Assert.Equal([("Ben", 1, 3), ("Ada", 3, 5)], Summary(pieces));
    }

    [Fact]
    public void Long_turn_is_cut_at_its_silences()
    {
        var pieces = Plan(200, [Speaker("csrc:1", "Ada", (0, 150))], Profile(200, second => second is 55 or 100 ? -60 : second < 150 ? -20 : -90));

        Assert.Equal(3, pieces.Count);
        Assert.All(pieces, piece => Assert.InRange(piece.AudioAt.Length, 1, SpeechPlan.LongestPiece));
        Assert.InRange(pieces[0].At.End, 55, 56);
        Assert.InRange(pieces[1].At.End, 100, 101);
        Assert.Equal(pieces[0].At.End, pieces[1].At.Start);
        // The words around a cut belong to one piece only.
        Assert.Equal(pieces[0].Keep.End, pieces[1].Keep.Start);
        Assert.Equal(150, pieces[^1].At.End);
    }

    [Fact]
    public void Small_size_limit_makes_short_pieces()
    {
        var pieces = SpeechPlan.Of(Manifest(100, [Speaker("csrc:1", "Ada", (0, 100))]), Profile(100, _ => -20), maxBytes: 1024 * 1024);

        // Opus packets of 20 ms have at most 1,275 bytes.
        Assert.All(pieces, piece => Assert.InRange(piece.Audio.Count * 1275, 1, 1024 * 1024));
        Assert.Equal(100, pieces.Sum(piece => piece.At.Length), 0.001);
    }

    [Fact]
    public void Recording_without_speakers_is_cut_at_its_silences()
    {
        var pieces = Plan(40, [], Profile(40, second => second is (>= 2 and < 6) or (>= 20 and < 25) ? -25 : -80));

        Assert.Equal([(null, 2, 6), (null, 20, 25)], Summary(pieces));
        Assert.All(pieces, piece => Assert.Null(piece.Source));
    }

    [Fact]
    public void Loud_stretch_that_no_speaker_covers_is_a_piece_without_a_speaker()
    {
        var pieces = Plan(40, [Speaker("csrc:1", "Ada", (5, 10))], Profile(40, second => second is >= 5 and < 20 ? -25 : -80));

        Assert.Equal([("Ada", 5, 10), (null, 10.3, 20)], Summary(pieces));
    }

    [Fact]
    public void Silent_recording_has_no_pieces() => Assert.Empty(Plan(40, [], Profile(40, _ => -90)));

    [Fact]
    public void Tiny_turns_and_turns_beyond_the_recording_are_left_out() =>
        Assert.Empty(Plan(40, [Speaker("csrc:1", "Ada", (5, 5.1), (50, 60))]));

    [Fact]
    public void Plan_of_the_same_recording_has_the_same_fingerprint_and_another_language_has_another()
    {
        var one = Plan(60, [Speaker("csrc:1", "Ada", (1, 3))]);
        var same = Plan(60, [Speaker("csrc:1", "Ada", (1, 3))]);
        var other = Plan(60, [Speaker("csrc:1", "Ada", (1, 4))]);

        Assert.Equal(SpeechPlan.Fingerprint(one, "en"), SpeechPlan.Fingerprint(same, "en"));
        Assert.NotEqual(SpeechPlan.Fingerprint(one, "en"), SpeechPlan.Fingerprint(one, "de"));
        Assert.NotEqual(SpeechPlan.Fingerprint(one, "en"), SpeechPlan.Fingerprint(other, "en"));
    }

    private static IEnumerable<(string?, double, double)> Summary(IEnumerable<SpeechPiece> pieces) =>
        pieces.Select(piece => (piece.Speaker, Math.Round(piece.At.Start, 3), Math.Round(piece.At.End, 3)));

    private static IReadOnlyList<SpeechPiece> Plan(double seconds, IReadOnlyList<ManifestSpeaker> speakers, params IReadOnlyList<ManifestTrack> tracks) =>
        SpeechPlan.Of(Manifest(seconds, speakers, tracks), Profile(seconds, _ => -90), MaxBytes);

    private static IReadOnlyList<SpeechPiece> Plan(double seconds, IReadOnlyList<ManifestSpeaker> speakers, LoudnessProfile profile) =>
        SpeechPlan.Of(Manifest(seconds, speakers), profile, MaxBytes);

    private static LoudnessProfile Profile(double seconds, Func<int, double> levelAt) =>
        new([.. Enumerable.Range(0, (int)(seconds * LoudnessProfile.WindowsPerSecond)).Select(window => (float)Math.Pow(10, levelAt(window / LoudnessProfile.WindowsPerSecond) / 10))]);

    private static ManifestSpeaker Speaker(string source, string name, params (double Start, double End)[] segments) => Speaker(source, name, -20, segments);

    private static ManifestSpeaker Speaker(string source, string name, int level, params (double Start, double End)[] segments) =>
        new(source, name, segments.Sum(segment => segment.End - segment.Start), [.. segments.Select(segment => new SpeakerSegment(segment.Start, segment.End, level))]);

    private static ManifestTrack Track(int number, double start, double length) =>
        new(number) { File = $"track-{number}.ogg", StartSeconds = start, DurationSeconds = length };

    private static RecordingManifest Manifest(double seconds, IReadOnlyList<ManifestSpeaker> speakers, IReadOnlyList<ManifestTrack>? tracks = null) => new()
    {
        SessionId = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001"),
        UserId = UserId.Parse("ada"),
        MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
        BotName = "Notes",
        Platform = Platform.GoogleMeet,
        Metadata = new Dictionary<string, string>(),
        DurationSeconds = seconds,
        AudibleSeconds = seconds,
        Format = "ogg",
        Bytes = 1,
        Sha256 = "",
        Chunks = [],
        Gaps = [],
        Speakers = speakers,
        Tracks = tracks ?? [],
        Ignored = [],
    };
}
