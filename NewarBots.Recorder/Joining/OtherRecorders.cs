using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// Counts the participants that a page shows by name, and those whose names are those of recorders and note takers. A call with nobody else
/// is empty.
/// </summary>
/// <param name="pack">The patterns for the names of recorders, of presentations and of the guest itself.</param>
/// <param name="botName">This recorder's name. Its own tile is not counted; all others of that name are recorders that have the same one.</param>
/// <param name="isSignedIn">
/// The call shows the account's name, which is unknown. It must be among the names present whenever all participants are shown. As long as
/// one of those looks like a recorder, one recorder is assumed to be this one: staying too long is better than leaving people behind.
/// </param>
/// <param name="companions">Other bots of the same manager. No more participants with such a name are recorders than there are such bots.</param>
internal sealed class OtherRecorders(SelectorPack pack, string botName, bool isSignedIn, MeetingCompanions companions)
{
    /// <summary>A shorter beginning of this bot's name may be somebody else's name.</summary>
    private const int MinShortened = 20;

    private readonly Regex[] _recorders = PackPattern.All(pack.Recorders);
    private readonly Regex[] _presentations = PackPattern.All(pack.Presentations);
    private readonly Regex[] _self = PackPattern.All(pack.Self);
    private readonly string _botName = Squeeze(botName);

    /// <summary>The candidates for the account's name.</summary>
    private HashSet<string>? _ownNames;

    /// <param name="people">The participants that the page shows. Somebody may be shown more than once, with the same id.</param>
    /// <param name="total">The number of participants, including this one; <see langword="null"/> if the page does not show it.</param>
    /// <returns>How many others the page shows, how many of them are recorders, and whether it shows this bot under a known name.</returns>
    public (int Named, int Recorders, bool IsSelfShown) CountIn(IReadOnlyCollection<(string Id, string Name)> people, int? total)
    {
        var (names, others, recorders, isSelfShown) = Sort(people, total);
        // If all participants are shown, this one is among them, under whatever name.
        var isAmongThem = !isSelfShown && (isSignedIn || names.Count == total);
        var named = isAmongThem ? Math.Max(0, others.Count - 1) : others.Count;
        var areAllOthers = isSelfShown || !isSignedIn || (_ownNames is { Count: > 0 } candidates && !candidates.Overlaps(recorders));
        return (named, areAllOthers ? recorders.Count : Math.Max(0, recorders.Count - 1), isSelfShown);
    }

    /// <inheritdoc cref="CountIn"/>
    /// <returns>The names of people: without recorders, and without this bot as far as its name is known.</returns>
    public IReadOnlyList<string> PeopleIn(IReadOnlyCollection<(string Id, string Name)> people, int? total)
    {
        var (_, others, recorders, isSelfShown) = Sort(people, total);
        if (!isSelfShown && _ownNames is { Count: 1 })
            others.RemoveAll(_ownNames.Contains);
        return [.. others.Except(recorders)];
    }

    private (List<string> Names, List<string> Others, List<string> Recorders, bool IsSelfShown) Sort(IReadOnlyCollection<(string Id, string Name)> people, int? total)
    {
        var names = WithoutPresentations([.. people.DistinctBy(person => person.Id).Select(person => person.Name)]);
        var others = names.ToList();
        var isSelfShown = others.RemoveAll(name => Matches(_self, name)) > 0 || others.Remove(_botName) || RemoveFirst(others, IsOwn);
        if (!isSelfShown && names.Count == total)
        {
            _ownNames ??= [.. names];
            _ownNames.IntersectWith(names);
        }

        var bots = companions.Names.Where(name => !IsShortened(name, _botName)).ToList();
        var recorders = others.Where(name => Matches(_recorders, name) || IsShortened(name, _botName) || RemoveFirst(bots, bot => IsShortened(name, bot))).ToList();
        return (names, others, recorders, isSelfShown);
    }

    /// <summary>The platform may shorten this bot's name or add to it.</summary>
    private bool IsOwn(string name) =>
        (name.StartsWith(_botName, StringComparison.OrdinalIgnoreCase) && !name[_botName.Length..].Any(char.IsLetterOrDigit))
        || (name.StartsWith($"{_botName} (", StringComparison.OrdinalIgnoreCase) && name.EndsWith(')'))
        || (name.TrimEnd('\u2026', '.') is { Length: >= 3 } beginning && beginning.Length < name.Length && _botName.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
        || IsShortened(name, _botName);

    /// <summary>Is the full name, or as much of a long one as the platform allows. White space does not count.</summary>
    public static bool IsShortened(string shown, string name) =>
        Squeeze(shown) is var text && (text == Squeeze(name) || (text.Length >= MinShortened && Squeeze(name).StartsWith(text, StringComparison.Ordinal)));

    private static string Squeeze(string name) => string.Join(' ', name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static bool RemoveFirst(List<string> names, Predicate<string> isMatch)
    {
        var index = names.FindIndex(isMatch);
        if (index >= 0)
            names.RemoveAt(index);
        return index >= 0;
    }

    /// <summary>A presentation has a tile of its own, with its owner's name in it. It is somebody only if its owner is not shown.</summary>
    private List<string> WithoutPresentations(IReadOnlyList<string> names)
    {
        var people = names.Where(name => OwnerOf(name) is null).ToList();
        var owners = names.Select(OwnerOf).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase);
        return [.. people, .. owners.Where(owner => !people.Contains(owner, StringComparer.OrdinalIgnoreCase))];
    }

    private string? OwnerOf(string name) => _presentations
        .Select(pattern => pattern.Match(name)).FirstOrDefault(match => match.Success)?.Groups[1].Value.Trim();

    private static bool Matches(Regex[] patterns, string name) => Array.Exists(patterns, pattern => pattern.IsMatch(name));
}
