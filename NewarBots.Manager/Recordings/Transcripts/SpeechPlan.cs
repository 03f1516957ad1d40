using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>
/// Decides which pieces of a recording are sent to the speech server: the turns of each speaker, from the speaker's track file if there is one, else
/// from the mix. In the mix, each moment is in one piece only: of several people who speak at once, the one who began keeps the floor. Loud stretches
/// without a known speaker are pieces, too. Long turns are cut where the recording is quietest.
/// </summary>
internal static class SpeechPlan
{
    /// <summary>A speaker's turn continues after a pause of this length (s).</summary>
    public const double LongestPause = 1.5;

    /// <summary>Audio before and after a piece, so that its first and last word are whole (s).</summary>
    public const double Context = 0.3;

    /// <summary>The longest piece (s). Recognition does not gain from more, and a repeat costs little.</summary>
    public const double LongestPiece = 60;

    /// <summary>Shorter turns hold no word (s).</summary>
    private const double ShortestTurn = 0.2;

    /// <summary>A shorter stretch without a known speaker is noise (s).</summary>
    private const double ShortestUnknown = 1;

    /// <summary>More than the largest packets and their pages take.</summary>
    private const int MaxBytesPerSecond = 70_000;

    /// <param name="manifest">Describes the recording.</param>
    /// <param name="mix">The level of the mix.</param>
    /// <param name="maxBytes">The largest file that may be sent.</param>
    /// <returns>In order of their start.</returns>
    public static IReadOnlyList<SpeechPiece> Of(RecordingManifest manifest, LoudnessProfile mix, long maxBytes)
    {
        var tracks = manifest.Tracks
            .Where(track => track is { File: not null, StartSeconds: not null, DurationSeconds: > 0 })
            .ToDictionary(track => SourceOf(track.Track));
        var mixed = manifest.Speakers.Where(speaker => !tracks.ContainsKey(speaker.Source)).ToList();
        var turns = manifest.Speakers.Where(speaker => tracks.ContainsKey(speaker.Source)).SelectMany(speaker => TurnsOf(speaker, tracks[speaker.Source]))
            .Concat(Join(Floor(mixed, manifest.DurationSeconds)))
            .Concat(Unknown(manifest, mix).Select(stretch => new Turn(stretch, File: new(Track: null, 0, manifest.DurationSeconds), Speaker: null)))
            .Where(turn => turn.At.Length >= ShortestTurn);
        var longest = Math.Min(LongestPiece, (double)maxBytes / MaxBytesPerSecond) - (2 * Context);
        var pieces = turns.SelectMany(turn => Cut(turn, mix, longest)).OrderBy(piece => piece.At.Start).ThenBy(piece => piece.File.Track).ToList();
        return [.. WithContext(pieces).Index().Select(piece => piece.Item with { Number = piece.Index })];
    }

    /// <summary>Two plans with the same fingerprint send the same audio.</summary>
    public static string Fingerprint(IEnumerable<SpeechPiece> pieces, params IEnumerable<string?> settings)
    {
        var text = string.Join('\n', settings.Concat(pieces.Select(piece => FormattableString.Invariant(
            $"{piece.File.Track} {piece.Audio.First} {piece.Audio.Count} {piece.Keep.Start:0.000} {piece.Keep.End:0.000} {piece.Source} {piece.Speaker}"))));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private static string SourceOf(int track) => $"track:{track}";

    private static IEnumerable<Turn> TurnsOf(ManifestSpeaker speaker, ManifestTrack track)
    {
        var file = new SpeechFile(track.Track, track.StartSeconds!.Value, track.DurationSeconds!.Value);
        return Join(speaker.Segments
            .Select(segment => new Stretch(segment.StartSeconds, segment.EndSeconds).Within(file.Start, file.Start + file.Length))
            .Where(stretch => stretch.Length > 0)
            .Select(stretch => new Turn(stretch, file, speaker)));
    }

    /// <summary>Joins neighbours of the same speaker.</summary>
    private static IEnumerable<Turn> Join(IEnumerable<Turn> turns)
    {
        Turn? last = null;
        foreach (var turn in turns)
        {
            if (last is not null && last.Speaker == turn.Speaker && turn.At.Start - last.At.End <= LongestPause)
            {
                last = last with { At = new(last.At.Start, Math.Max(last.At.End, turn.At.End)) };
                continue;
            }

            if (last is not null)
                yield return last;
            last = turn;
        }

        if (last is not null)
            yield return last;
    }

    /// <summary>Divides the time in which anybody speaks among the speakers. The loudest takes a floor that is free; its holder keeps it until the segment ends.</summary>
    private static IEnumerable<Turn> Floor(IReadOnlyList<ManifestSpeaker> speakers, double length)
    {
        var file = new SpeechFile(Track: null, 0, length);
        var segments = speakers
            .SelectMany(speaker => speaker.Segments.Select(segment => (Speaker: speaker, At: new Stretch(segment.StartSeconds, segment.EndSeconds).Within(0, length), segment.Level)))
            .Where(segment => segment.At.Length > 0)
            .OrderBy(segment => segment.At.Start)
            .ToList();
        var active = new List<(ManifestSpeaker Speaker, Stretch At, int Level)>();
        var next = 0;
        var now = 0d;
        while (next < segments.Count || active.Count > 0)
        {
            if (active.Count == 0)
                now = Math.Max(now, segments[next].At.Start);
            for (; next < segments.Count && segments[next].At.Start <= now; next++)
                active.Add(segments[next]);
            active.RemoveAll(segment => segment.At.End <= now);
            if (active.Count == 0)
                continue;
            var holder = active.MaxBy(segment => segment.Level);
            yield return new(new(now, holder.At.End), file, holder.Speaker);
            now = holder.At.End;
        }
    }

    /// <summary>Loud stretches outside of all speakers' segments.</summary>
    private static IEnumerable<Stretch> Unknown(RecordingManifest manifest, LoudnessProfile mix)
    {
        var known = Union(manifest.Speakers.SelectMany(speaker => speaker.Segments)
            .Select(segment => new Stretch(segment.StartSeconds - Context, segment.EndSeconds + Context))
            .OrderBy(stretch => stretch.Start)).ToList();
        var at = 0;
        foreach (var loud in mix.Loud(LongestPause).Select(stretch => stretch.Within(0, manifest.DurationSeconds)))
        {
            var from = loud.Start;
            while (at < known.Count && known[at].End <= from)
                at++;
            for (var index = at; index < known.Count && known[index].Start < loud.End; index++)
            {
                if (known[index].Start - from >= ShortestUnknown)
                    yield return new(from, known[index].Start);
                from = Math.Max(from, known[index].End);
            }

            if (loud.End - from >= ShortestUnknown)
                yield return new(from, loud.End);
        }
    }

    private static IEnumerable<Stretch> Union(IEnumerable<Stretch> sorted)
    {
        Stretch? last = null;
        foreach (var stretch in sorted)
        {
            if (last is { } open && stretch.Start <= open.End)
            {
                last = open with { End = Math.Max(open.End, stretch.End) };
                continue;
            }

            if (last is { } done)
                yield return done;
            last = stretch;
        }

        if (last is { } end)
            yield return end;
    }

    private static IEnumerable<SpeechPiece> Cut(Turn turn, LoudnessProfile mix, double longest)
    {
        var start = turn.At.Start;
        while (turn.At.End - start > longest)
        {
            var cut = mix.Quietest(start + (longest / 2), start + longest);
            yield return Piece(start, cut);
            start = cut;
        }

        yield return Piece(start, turn.At.End);

        SpeechPiece Piece(double from, double to) => new(turn.File, new(from, to)) { Speaker = turn.Speaker?.Name, Source = turn.Speaker?.Source };
    }

    /// <summary>Adds the audio around each piece. Words there belong to the piece, unless a neighbour in the same file is as close.</summary>
    private static IEnumerable<SpeechPiece> WithContext(List<SpeechPiece> pieces)
    {
        var keptFrom = new double[pieces.Count];
        var keptTo = new double[pieces.Count];
        var lastOf = new Dictionary<int, int>();
        foreach (var (index, piece) in pieces.Index())
        {
            keptFrom[index] = piece.At.Start - Context;
            keptTo[index] = piece.At.End + Context;
            if (lastOf.TryGetValue(piece.File.Track ?? 0, out var last) && piece.At.Start - pieces[last].At.End < 2 * Context)
            {
                var between = (pieces[last].At.End + piece.At.Start) / 2;
                keptTo[last] = Math.Min(keptTo[last], between);
                keptFrom[index] = Math.Max(keptFrom[index], between);
            }

            lastOf[piece.File.Track ?? 0] = index;
        }

        foreach (var (index, piece) in pieces.Index())
        {
            var packets = (long)(piece.File.Length * ChunkFormat.PacketsPerSecond);
            var first = Math.Clamp((long)Math.Floor(PacketAt(piece, piece.At.Start - Context)), 0, Math.Max(0, packets - 1));
            var end = Math.Clamp((long)Math.Ceiling(PacketAt(piece, piece.At.End + Context)), first + 1, Math.Max(first + 1, packets));
            yield return piece with { Audio = new(first, end - first), Keep = new(keptFrom[index], keptTo[index]) };
        }
    }

    /// <summary>Rounded, because 1.7 s is 84.99… packets.</summary>
    private static double PacketAt(SpeechPiece piece, double seconds) => Math.Round((seconds - piece.File.Start) * ChunkFormat.PacketsPerSecond, 3);

    /// <param name="At">On the recording's timeline.</param>
    /// <param name="File">The file that has it.</param>
    /// <param name="Speaker"><see langword="null"/> if unknown.</param>
    private sealed record Turn(Stretch At, SpeechFile File, ManifestSpeaker? Speaker);
}

/// <summary>A file with audio.</summary>
/// <param name="Track">The track's number; <see langword="null"/> for the mix.</param>
/// <param name="Start">Its start on the recording's timeline (s).</param>
/// <param name="Length">Its length (s).</param>
internal readonly record struct SpeechFile(int? Track, double Start, double Length);

/// <summary>A piece of speech to send.</summary>
/// <param name="File">The file that has it.</param>
/// <param name="At">The speech, on the recording's timeline.</param>
internal sealed record SpeechPiece(SpeechFile File, Stretch At)
{
    public int Number { get; init; }

    public string? Speaker { get; init; }

    public string? Source { get; init; }

    /// <summary>The packets of the file that are sent.</summary>
    public PacketRange Audio { get; init; }

    /// <summary>Words whose middle is here belong to this piece; on the recording's timeline.</summary>
    public Stretch Keep { get; init; }

    /// <summary>The audio that is sent, on the recording's timeline.</summary>
    public Stretch AudioAt => new(File.Start + ChunkManifest.Seconds(Audio.First), File.Start + ChunkManifest.Seconds(Audio.End));
}
