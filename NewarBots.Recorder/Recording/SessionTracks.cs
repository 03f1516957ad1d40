namespace NewarBots.Recorder.Recording;

/// <summary>Numbers the tracks of a whole session: a page that was loaded anew, or another browser, counts from 1 again.</summary>
internal sealed class SessionTracks
{
    private readonly Dictionary<(string Page, int Track), int> _numbers = [];

    /// <param name="page">Names the page's load.</param>
    /// <param name="track">The track's number there.</param>
    /// <returns>Its number in the session, from 1 on in order of appearance.</returns>
    public int NumberOf(string page, int track)
    {
        if (!_numbers.TryGetValue((page, track), out var number))
            _numbers[(page, track)] = number = _numbers.Count + 1;
        return number;
    }
}
