using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>How loud the last second was: the mean power of its packets.</summary>
internal sealed class LevelMeter
{
    /// <summary>Digital silence.</summary>
    public const int Silent = -127;

    private readonly Queue<double> _powers = new(ChunkFormat.PacketsPerSecond);

    /// <summary>In dBFS.</summary>
    public int Level => _powers.Count == 0 ? Silent : (int)Math.Max(Silent, Math.Round(10 * Math.Log10(_powers.Average())));

    /// <param name="level">The next packet's, in dBFS.</param>
    public void Add(int level)
    {
        if (_powers.Count == ChunkFormat.PacketsPerSecond)
            _powers.Dequeue();
        _powers.Enqueue(Math.Pow(10, level / 10.0));
    }
}
