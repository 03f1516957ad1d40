using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Determines who spoke when. A source is a contributing source if a mixing server names one, otherwise a track. A turn lasts from the
/// first loud block until the source has been quiet for <see cref="Pause"/>. A turn gets the name that the page marked while no other
/// source spoke; failing that, the name marked most often while its source spoke.
/// </summary>
internal sealed class SpeakerTimeLine
{
    /// <summary>The level from which a block counts as speech, in dBFS (RMS).</summary>
    public const int SpeakingLevel = -50;

    /// <summary>In packets: the longest pause within a turn.</summary>
    public const int Pause = ChunkFormat.PacketsPerSecond / 2;

    /// <summary>In packets: longer turns are reported in parts, in case the recorder is killed.</summary>
    public const int MaxPartLength = 10 * ChunkFormat.PacketsPerSecond;

    /// <summary>Votes that a name needs. Each mark of the page is one vote, shared among all sources and names it may refer to.</summary>
    private const double MinVotes = 2;

    /// <summary>The share of all votes that a name needs.</summary>
    private const double MinShare = 0.6;

    private readonly Dictionary<int, Turn> _open = [];
    private readonly Queue<(IReadOnlyList<string> Names, long Packet)> _marks = [];
    private readonly Dictionary<string, Votes> _votes = [];

    /// <summary>The turns that have not ended.</summary>
    public IEnumerable<OpenTurn> OpenTurns => _open.Values.Where(turn => turn.HasSpeech).Select(turn => new OpenTurn(turn.Source, turn.Start, turn.End, NameOf(turn)));

    /// <param name="names">The names that the page marks as speaking.</param>
    /// <param name="packet">The position on the time line. May be ahead of the audio.</param>
    public void Mark(IReadOnlyList<string> names, long packet)
    {
        if (names.Count > 0)
            _marks.Enqueue((names, packet));
    }

    /// <param name="voices">The voices since the last call, in order within each track.</param>
    /// <param name="packets">The length of the time line. All voices before its end are known.</param>
    /// <returns>Turns that ended, and parts of long turns.</returns>
    public IReadOnlyList<Speech> Advance(IEnumerable<Voice> voices, long packets)
    {
        var ended = new List<Speech>();
        foreach (var voice in voices.Where(voice => voice.Level >= SpeakingLevel && voice.FirstPacket + VoiceBlock.Packets > 0))
        {
            if (_open.TryGetValue(voice.Track, out var open) && (voice.Source != open.Source || voice.FirstPacket > open.End + Pause))
                Close(voice.Track, ended);
            if (!_open.TryGetValue(voice.Track, out open))
                // A block may begin before the recording: the track's first buffer is older.
                _open[voice.Track] = open = new(voice.Source, Math.Max(0, voice.FirstPacket));
            open.Add(voice);
            if (open.End - open.Start >= MaxPartLength)
                ended.Add(open.TakePart(NameOf(open)));
        }

        while (_marks.TryPeek(out var mark) && mark.Packet <= packets)
            Count(_marks.Dequeue());
        foreach (var (track, _) in _open.Where(open => packets > open.Value.End + Pause).ToList())
            Close(track, ended);
        return ended;
    }

    /// <summary>Ends all open turns.</summary>
    public IReadOnlyList<Speech> Complete()
    {
        var ended = new List<Speech>();
        foreach (var track in _open.Keys.ToList())
            Close(track, ended);
        return ended;
    }

    private void Close(int track, List<Speech> ended)
    {
        if (_open.Remove(track, out var open) && open.HasSpeech)
            ended.Add(open.TakePart(NameOf(open)));
    }

    private void Count((IReadOnlyList<string> Names, long Packet) mark)
    {
        var speaking = _open.Values.Where(open => open.Start <= mark.Packet && mark.Packet <= open.End + Pause).ToList();
        foreach (var open in speaking)
        {
            if (!_votes.TryGetValue(open.Source, out var votes))
                _votes[open.Source] = votes = new();
            foreach (var name in mark.Names)
            {
                votes.Add(name, 1.0 / (speaking.Count * mark.Names.Count));
                if (speaking.Count == 1 && mark.Names.Count == 1)
                    open.Names.Add(name, 1);
            }
        }
    }

    private string? NameOf(Turn open) =>
        open.Names.Best(minVotes: 1) ?? (_votes.TryGetValue(open.Source, out var votes) ? votes.Best(MinVotes) : null);

    /// <summary>A source speaking on one track.</summary>
    private sealed class Turn(string source, long start)
    {
        private double _power;
        private int _blocks;

        public string Source => source;

        public Votes Names { get; } = new();

        public long Start { get; private set; } = start;

        public long End { get; private set; } = start;

        public bool HasSpeech => _blocks > 0;

        public void Add(Voice voice)
        {
            End = Math.Max(End, voice.FirstPacket + VoiceBlock.Packets);
            _power += Math.Pow(10, voice.Level / 10.0);
            _blocks++;
        }

        public Speech TakePart(string? name)
        {
            var part = new Speech(
                Source, TimeLinePosition.Seconds(Start), TimeLinePosition.Seconds(End), (int)Math.Round(10 * Math.Log10(_power / _blocks)), name);
            (Start, _power, _blocks) = (End, 0, 0);
            return part;
        }
    }

    private sealed class Votes
    {
        private readonly Dictionary<string, double> _votes = [];

        public void Add(string name, double weight) => _votes[name] = _votes.GetValueOrDefault(name) + weight;

        /// <returns>The name with enough votes; <see langword="null"/> if there is none.</returns>
        public string? Best(double minVotes)
        {
            if (_votes.Count == 0)
                return null;
            var (name, votes) = _votes.MaxBy(vote => vote.Value);
            return votes >= minVotes && votes >= MinShare * _votes.Values.Sum() ? name : null;
        }
    }
}

/// <summary>A <see cref="VoiceBlock"/> on the session's time line.</summary>
/// <param name="Track">The track's number in the session.</param>
/// <param name="FirstPacket">Its position.</param>
/// <param name="Level">In dBFS (RMS).</param>
/// <param name="Contributor">The contributing source, if a mixing server names one.</param>
internal readonly record struct Voice(int Track, long FirstPacket, int Level, long? Contributor = null)
{
    /// <summary><c>csrc:</c> or <c>track:</c>, followed by the number.</summary>
    public string Source => Contributor is { } contributor ? $"csrc:{contributor}" : $"track:{Track}";
}
