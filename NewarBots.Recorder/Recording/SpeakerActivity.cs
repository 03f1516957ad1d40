using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Determines who speaks now. A source speaks from its first turn until it has been quiet for <see cref="Pause"/>. The page marks names late, so a
/// source without a name is reported only after <see cref="NameTimeout"/>.
/// </summary>
internal sealed class SpeakerActivity
{
    /// <summary>In packets: the longest pause between two turns that is not reported.</summary>
    public const int Pause = 2 * ChunkFormat.PacketsPerSecond;

    /// <summary>In packets: shorter sounds, such as a cough, are not reported.</summary>
    public const int MinLength = ChunkFormat.PacketsPerSecond / 2;

    /// <summary>In packets.</summary>
    public const int NameTimeout = 2 * ChunkFormat.PacketsPerSecond;

    private readonly Dictionary<string, Spell> _spells = [];

    /// <param name="turns">The turns that have not ended.</param>
    /// <param name="packets">The length of the time line.</param>
    public IReadOnlyList<SpeakerChange> Observe(IEnumerable<OpenTurn> turns, long packets)
    {
        var changes = new List<SpeakerChange>();
        foreach (var turn in turns)
        {
            if (!_spells.TryGetValue(turn.Source, out var spell))
                _spells[turn.Source] = spell = new(turn.Start);
            spell.End = Math.Max(spell.End, turn.End);
            spell.Name = turn.Name ?? spell.Name;
            var length = spell.End - spell.Start;
            if (spell.IsReported || length < MinLength || (spell.Name is null && length < NameTimeout))
                continue;
            spell.IsReported = true;
            changes.Add(new(turn.Source, spell.Start, IsSpeaking: true, spell.Name));
        }

        End(spell => packets > spell.End + Pause, changes);
        return changes;
    }

    /// <summary>The recording ends, and nobody speaks any longer.</summary>
    public IReadOnlyList<SpeakerChange> Complete()
    {
        var changes = new List<SpeakerChange>();
        End(_ => true, changes);
        return changes;
    }

    private void End(Predicate<Spell> isOver, List<SpeakerChange> changes)
    {
        foreach (var (source, spell) in _spells.Where(spell => isOver(spell.Value)).ToList())
        {
            _spells.Remove(source);
            if (spell.IsReported)
                changes.Add(new(source, spell.End, IsSpeaking: false, spell.Name));
        }
    }

    private sealed class Spell(long start)
    {
        public long Start { get; } = start;

        public long End { get; set; } = start;

        public string? Name { get; set; }

        public bool IsReported { get; set; }
    }
}

/// <summary>A turn that has not ended. Positions are on the session's time line.</summary>
internal readonly record struct OpenTurn(string Source, long Start, long End, string? Name);

/// <param name="Source">As in <see cref="Voice.Source"/>.</param>
/// <param name="Packet">The position of the beginning or end on the session's time line.</param>
/// <param name="IsSpeaking">Whether the source speaks from then on.</param>
/// <param name="Name">The source's name, if it is known.</param>
internal sealed record SpeakerChange(string Source, long Packet, bool IsSpeaking, string? Name);
