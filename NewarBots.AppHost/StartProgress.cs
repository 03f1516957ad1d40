namespace NewarBots.AppHost;

/// <summary>Measures how long a start has made no progress. Progress is a picture of its resources that was not seen before, or a line of a log.</summary>
internal sealed class StartProgress(TimeProvider time)
{
    private readonly HashSet<string> _pictures = [];
    private int _lines;
    private long _lastProgress = time.GetTimestamp();

    /// <param name="picture">The resources that the start waits for, and their states.</param>
    /// <param name="lines">Number of lines in their logs.</param>
    /// <returns>The time since the last progress.</returns>
    public TimeSpan Note(string picture, int lines)
    {
        if (_pictures.Add(picture) | lines > _lines)
        {
            _lines = Math.Max(_lines, lines);
            _lastProgress = time.GetTimestamp();
        }
        return time.GetElapsedTime(_lastProgress);
    }

    /// <summary>Begins again, for a new start after a failure.</summary>
    public void Reset()
    {
        _pictures.Clear();
        _lines = 0;
        _lastProgress = time.GetTimestamp();
    }
}
