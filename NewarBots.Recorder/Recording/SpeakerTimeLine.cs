using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Who spoke when. A source is a contributing source where a mixing server names one, else a track. It speaks from the first
/// loud block on until it has not been loud for <see cref="Pause"/>. A name is given to it where the page marked one person as
/// speaking while one source spoke; where that was never so, the name that was marked most often while it spoke.
/// </summary>
internal sealed class SpeakerTimeLine
{
    /// <summary>A block of this level is speech, in dBFS (RMS).</summary>
    public const int SpeakingLevel = -50;

    /// <summary>In packets: so long may a speaker be silent without having ended.</summary>
    public const int Pause = ChunkFormat.PacketsPerSecond / 2;

    /// <summary>In packets: what is longer is told in pieces, in case there is no later.</summary>
    public const int LongestPiece = 10 * ChunkFormat.PacketsPerSecond;

    /// <summary>So often (looks, each shared out among all that might be meant) a name has to have been marked, and so much more often than others.</summary>
    private const double LeastVotes = 2, LeastShare = 0.6;

    private readonly Dictionary<int, Stretch> _open = [];
    private readonly Queue<(IReadOnlyList<string> Names, long Packet)> _looks = [];
    private readonly Dictionary<string, Votes> _votes = [];

    /// <param name="names">Whom the page marks as speaking.</param>
    /// <param name="packet">When, on the time line. May lie ahead of what was heard so far.</param>
    public void See(IReadOnlyList<string> names, long packet)
    {
        if (names.Count > 0)
            _looks.Enqueue((names, packet));
    }

    /// <param name="voices">What is known of since the last time; each track's in order.</param>
    /// <param name="packets">The length of the time line; every voice before its end is known of.</param>
    /// <returns>Stretches, or pieces of them, that are over.</returns>
    public IReadOnlyList<Speech> Advance(IEnumerable<Voice> voices, long packets)
    {
        var over = new List<Speech>();
        foreach (var voice in voices.Where(voice => voice.Level >= SpeakingLevel))
        {
            if (_open.TryGetValue(voice.Track, out var open) && (voice.Source != open.Source || voice.FirstPacket > open.End + Pause))
                Close(voice.Track, over);
            if (!_open.TryGetValue(voice.Track, out open))
                _open[voice.Track] = open = new(voice.Source, voice.FirstPacket);
            open.Add(voice);
            if (open.End - open.Start >= LongestPiece)
                over.Add(open.TakePiece(NameOf(open)));
        }

        while (_looks.TryPeek(out var look) && look.Packet <= packets)
            Count(_looks.Dequeue());
        foreach (var (track, _) in _open.Where(open => packets > open.Value.End + Pause).ToList())
            Close(track, over);
        return over;
    }

    /// <returns>The stretches that were not over; now they are.</returns>
    public IReadOnlyList<Speech> Complete()
    {
        var over = new List<Speech>();
        foreach (var track in _open.Keys.ToList())
            Close(track, over);
        return over;
    }

    private void Close(int track, List<Speech> over)
    {
        if (_open.Remove(track, out var open) && open.HasSounded)
            over.Add(open.TakePiece(NameOf(open)));
    }

    private void Count((IReadOnlyList<string> Names, long Packet) look)
    {
        var speaking = _open.Values.Where(open => open.Start <= look.Packet && look.Packet <= open.End + Pause).ToList();
        foreach (var open in speaking)
        {
            if (!_votes.TryGetValue(open.Source, out var votes))
                _votes[open.Source] = votes = new();
            foreach (var name in look.Names)
            {
                votes.Add(name, 1.0 / (speaking.Count * look.Names.Count));
                if (speaking.Count == 1 && look.Names.Count == 1)
                    open.Names.Add(name, 1);
            }
        }
    }

    private string? NameOf(Stretch open) =>
        open.Names.Best(least: 1) ?? (_votes.TryGetValue(open.Source, out var votes) ? votes.Best(LeastVotes) : null);

    /// <summary>A source that speaks on one track.</summary>
    private sealed class Stretch(string source, long start)
    {
        private double _power;
        private int _blocks;

        public string Source => source;

        public Votes Names { get; } = new();

        public long Start { get; private set; } = start;

        public long End { get; private set; } = start;

        public bool HasSounded => _blocks > 0;

        public void Add(Voice voice)
        {
            End = Math.Max(End, voice.FirstPacket + VoiceBlock.Packets);
            _power += Math.Pow(10, voice.Level / 10.0);
            _blocks++;
        }

        public Speech TakePiece(string? name)
        {
            var piece = new Speech(
                Source, TimeLinePosition.Seconds(Start), TimeLinePosition.Seconds(End), (int)Math.Round(10 * Math.Log10(_power / _blocks)), name);
            (Start, _power, _blocks) = (End, 0, 0);
            return piece;
        }
    }

    private sealed class Votes
    {
        private readonly Dictionary<string, double> _votes = [];

        public void Add(string name, double weight) => _votes[name] = _votes.GetValueOrDefault(name) + weight;

        /// <returns>The name that stands out, where one does.</returns>
        public string? Best(double least)
        {
            if (_votes.Count == 0)
                return null;
            var (name, votes) = _votes.MaxBy(vote => vote.Value);
            return votes >= least && votes >= LeastShare * _votes.Values.Sum() ? name : null;
        }
    }
}

/// <summary>A <see cref="VoiceBlock"/> on the session's time line.</summary>
/// <param name="Track">The track's number in the session.</param>
/// <param name="FirstPacket">Where it begins.</param>
/// <param name="Level">In dBFS (RMS).</param>
/// <param name="Contributor">The contributing source, where one is named.</param>
internal readonly record struct Voice(int Track, long FirstPacket, int Level, long? Contributor = null)
{
    /// <summary><c>csrc:</c> or <c>track:</c>, and its number.</summary>
    public string Source => Contributor is { } contributor ? $"csrc:{contributor}" : $"track:{Track}";
}
