using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace NewarBots.Contract;

/// <summary>
/// What a meeting platform's page can show and how it is recognised, as data: platforms change their pages more often than
/// recorders are built. The order of the entries is the order in which the log names them.
/// </summary>
/// <param name="Name">The platform's.</param>
/// <param name="Version">Year, month, and a number that grows.</param>
/// <param name="Entries">What a page can show.</param>
/// <param name="Recorders">Regular expressions for the names of participants who are recorders, not people.</param>
public sealed record SelectorPack(
    string Name, string Version, IReadOnlyList<SelectorEntry> Entries, IReadOnlyList<string>? Recorders = null)
{
    /// <summary>
    /// Without these no call can be joined, or told from the door before it. A pack that lacks an ending still works: the audio and
    /// the time limits end such a call.
    /// </summary>
    public static IReadOnlyList<PageSign> NeededToJoin { get; } =
    [
        PageSign.Denied, PageSign.WaitingRoom, PageSign.NameBox, PageSign.MicrophoneOn, PageSign.MicrophoneOff, PageSign.CameraOn,
        PageSign.CameraOff, PageSign.JoinButton, PageSign.LeaveButton,
    ];

    /// <summary>Reads and checks all that can be checked without a browser; whether it takes a CSS selector shows on the page.</summary>
    /// <exception cref="InvalidSelectorPackException">Names every fault with its place.</exception>
    public static SelectorPack Parse(string json) => CheckedJson.Read(
        json, SelectorJson.Default.SelectorPack, pack => pack.Faults(), faults => new InvalidSelectorPackException(faults));

    private IEnumerable<JsonFault> Faults()
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return new("$.name", "is empty");
        if (string.IsNullOrWhiteSpace(Version))
            yield return new("$.version", "is empty");

        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, entry) in Entries.Index())
        {
            if (entry is null)
            {
                yield return new($"$.entries[{i}]", "is null");
                continue;
            }

            if (string.IsNullOrWhiteSpace(entry.Id))
                yield return new($"$.entries[{i}].id", "is empty");
            else if (!ids.Add(entry.Id))
                yield return new($"$.entries[{i}].id", $"'{entry.Id}' is used twice");
            foreach (var (property, what) in entry.Faults())
                yield return new($"$.entries[{i}]{property}", $"{what} (entry '{entry.Id}')");
        }

        foreach (var (i, pattern) in (Recorders ?? []).Index())
        {
            if (WhyNoPattern(pattern, RegexOptions.NonBacktracking, groups: 0) is { } why)
                yield return new($"$.recorders[{i}]", why);
        }

        var missing = NeededToJoin.Except(Entries.Select(entry => entry?.Sign).OfType<PageSign>()).ToList();
        if (missing.Count > 0)
            yield return new("$.entries", $"no call can be joined without an entry for {string.Join(", ", missing.Select(WireWord.Of))}");
    }

    /// <returns><see langword="null"/> for a regular expression with at least so many groups.</returns>
    internal static string? WhyNoPattern(string? pattern, RegexOptions options, int groups)
    {
        try
        {
            return new Regex(pattern ?? string.Empty, options, TimeSpan.FromSeconds(1)).GetGroupNumbers().Length > groups
                ? null
                : "must have the number as its first group, for example (\\d+)";
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return $"is no regular expression: {exception.Message.TrimEnd('.')}";
        }
    }
}

/// <summary>One thing that a page can show. Letters' case, white space and the kind of apostrophe never matter.</summary>
/// <param name="Id">Its name in logs and spans.</param>
/// <param name="Sign">What it means.</param>
/// <param name="Text">Visible anywhere on the page.</param>
/// <param name="Control">Whole accessible name of a button or link.</param>
/// <param name="Css">Elements, narrowed down by <paramref name="Name"/> or <paramref name="Number"/>.</param>
/// <param name="Host">The page's host.</param>
/// <param name="Name">Whole accessible name of the element.</param>
/// <param name="Number">Regular expression whose first group is a number, on the element's <paramref name="Attribute"/>.</param>
/// <param name="Attribute">By default <c>aria-label</c>.</param>
/// <param name="Hidden">Counts also while it cannot be seen.</param>
/// <param name="People">Each element's text is a person's name.</param>
/// <param name="Person">
/// Attribute of something around such an element whose value tells one person from another: whom the page shows twice is named once.
/// </param>
public sealed record SelectorEntry(
    string Id,
    PageSign Sign,
    string? Text = null,
    string? Control = null,
    string? Css = null,
    string? Host = null,
    string? Name = null,
    string? Number = null,
    string? Attribute = null,
    bool Hidden = false,
    bool People = false,
    string? Person = null)
{
    /// <summary>What is wrong with it, each with the property at fault as the end of a JSON path; empty for the whole entry.</summary>
    internal IEnumerable<(string Property, string What)> Faults()
    {
        if (((string?[])[Text, Control, Css, Host]).Count(way => !string.IsNullOrWhiteSpace(way)) != 1)
            yield return (string.Empty, "must have exactly one of text, control, css and host");
        if (Host is not null && Uri.CheckHostName(Host) is UriHostNameType.Unknown)
            yield return (".host", $"'{Host}' is no host's name");
        if (Name is not null && Css is null)
            yield return (".name", "narrows only css down");
        if (Number is not null && Css is null)
            yield return (".number", "is read only from elements found by css");
        if (People && Css is null)
            yield return (".people", "is read only from elements found by css");
        if (Person is not null && !People)
            yield return (".person", "is of use only together with people");
        if (Number is null && Attribute is not null)
            yield return (".attribute", "is of use only together with number");
        if (Number is null && Sign is PageSign.ParticipantCount)
            yield return (string.Empty, "counts participants and needs a number");
        if (Number is not null && SelectorPack.WhyNoPattern(Number, RegexOptions.ECMAScript, groups: 1) is { } why)
            yield return (".number", why);
    }
}

/// <summary>What something on the page means.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<PageSign>))]
public enum PageSign
{
    /// <summary>The request to join was refused.</summary>
    Denied,

    /// <summary>The call was left, by whatever cause.</summary>
    Left,

    /// <summary>Nobody answered the request to join.</summary>
    NoAnswer,

    /// <summary>The platform turns this browser away.</summary>
    Blocked,

    NotFound,

    LoginNeeded,

    Removed,

    /// <summary>The call is over for all.</summary>
    Ended,

    WaitingRoom,

    GettingReady,

    NameBox,

    /// <summary>A button that takes away something that lies over the page.</summary>
    Dialog,

    /// <summary>A button that closes anything; worth a click only where what it closes is in the way.</summary>
    Obstacle,

    MicrophoneOn,

    MicrophoneOff,

    CameraOn,

    CameraOff,

    JoinButton,

    /// <summary>Exists in the call, and in the waiting room too.</summary>
    LeaveButton,

    /// <summary>How many are in the call, this guest included.</summary>
    ParticipantCount,

    /// <summary>The names of those whom the page shows.</summary>
    Participant,

    /// <summary>The names of those whom the page marks as speaking.</summary>
    Speaker,
}

/// <summary>A selector pack that cannot be used.</summary>
public sealed class InvalidSelectorPackException(IReadOnlyList<string> faults) : InvalidJsonFileException("The selector pack", faults);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SelectorPack))]
internal sealed partial class SelectorJson : JsonSerializerContext;
