using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Audio that FFmpeg reports as invalid. FFmpeg also fails for reasons of its own, so nothing is given up before another attempt, some time
/// later, has failed with it too.
/// </summary>
/// <param name="earlier">Files that an earlier attempt reported.</param>
internal sealed class Doubts(IEnumerable<string> earlier)
{
    private readonly HashSet<string> _earlier = [.. earlier];
    private readonly List<string> _new = [];

    /// <summary>Reported for the first time. Another attempt decides.</summary>
    public IReadOnlyList<string> New => _new;

    /// <param name="names">Files that FFmpeg cannot decode.</param>
    /// <returns>Whether all of them were reported before.</returns>
    public bool Confirm(IReadOnlyCollection<string> names)
    {
        var isConfirmed = names.All(_earlier.Contains);
        if (!isConfirmed)
            _new.AddRange(names);
        return isConfirmed;
    }
}

/// <summary>The doubts about the recordings of all bots. In memory: after a restart, the next attempt is a first one again.</summary>
internal sealed class DoubtedRecordings(IOptions<FinalizingOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<SessionId, (long Since, IReadOnlyList<string> Suspects)> _doubts = new();

    /// <returns>Files that an earlier attempt reported, if that was long enough ago.</returns>
    public IReadOnlyList<string> Earlier(SessionId id) =>
        _doubts.TryGetValue(id, out var doubt) && time.GetElapsedTime(doubt.Since) >= options.Value.SecondOpinionAfter ? doubt.Suspects : [];

    public void Add(SessionId id, IReadOnlyList<string> suspects) => _doubts.AddOrUpdate(
        id,
        _ => (time.GetTimestamp(), suspects),
        // An attempt that came too early does not defer the second opinion.
        (_, before) => suspects.All(before.Suspects.Contains) ? before : (time.GetTimestamp(), [.. before.Suspects.Union(suspects)]));

    public void Forget(SessionId id) => _doubts.TryRemove(id, out _);
}

/// <summary>FFmpeg cannot decode some audio, for the first time. The chunks are kept, and a later attempt decides.</summary>
/// <param name="message">Names the files.</param>
/// <param name="suspects">All of them.</param>
internal sealed class SecondOpinionException(string message, IReadOnlyList<string> suspects) : FFmpegUnfinishedException(message, hung: false)
{
    public IReadOnlyList<string> Suspects => suspects;

    public override string Explanation => "FFmpeg rejected some of the recorded audio. Another attempt will decide.";
}
