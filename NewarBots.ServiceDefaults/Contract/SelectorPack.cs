using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace NewarBots.Contract;

/// <summary>
/// Describes how to recognize the elements of a meeting platform's page. It is data and not code, because platforms change their pages more
/// often than recorders are released. Logs list the entries in this order.
/// </summary>
/// <param name="Name">The platform.</param>
/// <param name="Version">Year, month and an increasing number.</param>
/// <param name="Entries">Elements that a page can show.</param>
/// <param name="Recorders">Regular expressions that match the names of participants that are recorders, not people.</param>
/// <param name="Presentations">
/// Regular expressions that match the name on a presentation's tile. The first group is the name of its owner.
/// </param>
/// <param name="Self">Regular expressions that match the name on the guest's own tile.</param>
/// <param name="SafeAnswers">
/// Regular expressions, the best first, for buttons that answer a dialog of which nothing else is known, without leaving the call. The first
/// one matches buttons that stay in the call.
/// </param>
/// <param name="NeverAnswers">
/// Regular expressions for buttons that never answer a dialog: they leave, allow a device, sign in. The first one matches buttons that leave.
/// </param>
/// <param name="DecliningAnswers">Regular expressions for buttons that decline an offer of a dialog.</param>
/// <param name="DeviceOffers">Regular expressions that match the text of a dialog that offers to turn on a device.</param>
/// <param name="RoomOffers">Regular expressions that match the text of a dialog in the call that offers another room.</param>
public sealed partial record SelectorPack(
    string Name,
    string Version,
    IReadOnlyList<SelectorEntry> Entries,
    IReadOnlyList<string>? Recorders = null,
    IReadOnlyList<string>? Presentations = null,
    IReadOnlyList<string>? Self = null,
    IReadOnlyList<string>? SafeAnswers = null,
    IReadOnlyList<string>? NeverAnswers = null,
    IReadOnlyList<string>? DecliningAnswers = null,
    IReadOnlyList<string>? DeviceOffers = null,
    IReadOnlyList<string>? RoomOffers = null)
{
    /// <summary>
    /// Required to join a call and to distinguish it from the page before it. Signs of the call's end are optional: without them, silence and
    /// the time limits end a call.
    /// </summary>
    public static IReadOnlyList<PageSign> NeededToJoin { get; } =
    [
        PageSign.Denied, PageSign.WaitingRoom, PageSign.NameBox, PageSign.MicrophoneOn, PageSign.MicrophoneOff, PageSign.CameraOn,
        PageSign.CameraOff, PageSign.JoinButton, PageSign.LeaveButton, PageSign.CallControl,
    ];

    /// <summary>Reads and validates a pack, except for its CSS selectors: only a browser can check those.</summary>
    /// <exception cref="InvalidSelectorPackException">The message contains every error with its location.</exception>
    public static SelectorPack Parse(string json) => CheckedJson.Read(
        json, SelectorJson.Default.SelectorPack, pack => pack.Errors(), faults => new InvalidSelectorPackException(faults));

    private IEnumerable<JsonError> Errors()
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
            foreach (var (property, message) in entry.Errors())
                yield return new($"$.entries[{i}]{property}", $"{message} (entry '{entry.Id}')");
        }

        (string Property, IReadOnlyList<string>? Patterns, int Groups)[] lists =
        [
            ("recorders", Recorders, 0), ("presentations", Presentations, 1), ("self", Self, 0), ("safeAnswers", SafeAnswers, 0), ("neverAnswers", NeverAnswers, 0),
            ("decliningAnswers", DecliningAnswers, 0), ("deviceOffers", DeviceOffers, 0), ("roomOffers", RoomOffers, 0),
        ];
        foreach (var (property, patterns, groups) in lists)
        {
            foreach (var (i, pattern) in (patterns ?? []).Index())
            {
                var error = PatternError(pattern, RegexOptions.NonBacktracking, groups, "owner's name, for example (.+)");
                // The page evaluates these too.
                if ((property is "neverAnswers" ? error ?? JavaScriptError(pattern) : error) is { } fault)
                    yield return new($"$.{property}[{i}]", fault);
            }
        }

        var missing = NeededToJoin.Except(Entries.Select(entry => entry?.Sign).OfType<PageSign>()).ToList();
        if (missing.Count > 0)
            yield return new("$.entries", $"no call can be joined without an entry for {string.Join(", ", missing.Select(WireWord.Of))}");
    }

    /// <returns>
    /// <see langword="null"/> for a regular expression that means the same in .NET and in JavaScript. JavaScript rejects inline options, for
    /// example, and takes <c>\p{L}</c> for the letter p.
    /// </returns>
    internal static string? JavaScriptError(string? pattern) =>
        Tokens().Matches(pattern ?? string.Empty).Select(token => token.Value).FirstOrDefault(IsUnknownToJavaScript) is { } unknown
            ? $"is not a valid regular expression in the browser: '{unknown}' is unknown to JavaScript"
            : null;

    private static bool IsUnknownToJavaScript(string token) => token[0] switch
    {
        '\\' => "aeGApPzZ".Contains(token[1], StringComparison.Ordinal),
        '(' => token.Length < 3 || !":=!<".Contains(token[2], StringComparison.Ordinal),
        _ => token.Contains(@"\p", StringComparison.OrdinalIgnoreCase) || token.Contains("-[", StringComparison.Ordinal),
    };

    /// <summary>Escaped characters, sets of characters, and beginnings of groups with a question mark.</summary>
    [GeneratedRegex(@"\\.|\[(?:\\.|[^\]\\])*\]|\(\?.?", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tokens();

    /// <returns>
    /// <see langword="null"/> for a valid regular expression with at least <paramref name="groups"/> groups, of which the first has
    /// <paramref name="content"/>.
    /// </returns>
    internal static string? PatternError(string? pattern, RegexOptions options, int groups, string content)
    {
        try
        {
            return new Regex(pattern ?? string.Empty, options, TimeSpan.FromSeconds(1)).GetGroupNumbers().Length > groups
                ? null
                : $"must have the {content} as its first group";
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return $"is not a valid regular expression: {exception.Message.TrimEnd('.')}";
        }
    }
}

/// <summary>One element that a page can show. Matching ignores case, white space and the kind of apostrophe.</summary>
/// <param name="Id">The name in logs and spans.</param>
/// <param name="Sign">The meaning.</param>
/// <param name="Text">Text that is visible anywhere on the page. Text for screen readers only does not count.</param>
/// <param name="Whole">
/// The text is a whole sentence or line. Otherwise it may be part of a name, a message or the meeting's title.
/// </param>
/// <param name="Control">
/// Whole accessible name, or whole visible text, of a button or link, without icons and a shortcut in parentheses. A join button may also name
/// the devices that it joins without.
/// </param>
/// <param name="Css">Selects elements, which <paramref name="Name"/> or <paramref name="Number"/> narrow down.</param>
/// <param name="Host">The page's host, or the domain that it belongs to.</param>
/// <param name="Name">Whole accessible name of the selected element.</param>
/// <param name="Number">Regular expression for the element's <paramref name="Attribute"/>, with a number as its first group.</param>
/// <param name="Attribute">Default: <c>aria-label</c>.</param>
/// <param name="Hidden">Also matches while invisible. A visible element takes precedence.</param>
/// <param name="People">Each element's text is a person's name.</param>
/// <param name="Person">
/// Attribute of an ancestor element whose value identifies the person. A person whom the page shows twice is counted once.
/// </param>
public sealed record SelectorEntry(
    string Id,
    PageSign Sign,
    string? Text = null,
    bool Whole = false,
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
    /// <summary>All errors. Property is the end of the JSON path, or empty for the whole entry.</summary>
    internal IEnumerable<(string Property, string Message)> Errors()
    {
        if (((string?[])[Text, Control, Css, Host]).Count(matcher => !string.IsNullOrWhiteSpace(matcher)) != 1)
            yield return (string.Empty, "must have exactly one of text, control, css and host");
        if (Host is not null && Uri.CheckHostName(Host) is UriHostNameType.Unknown)
            yield return (".host", $"'{Host}' is not a host name");
        if (Whole && Text is null)
            yield return (".whole", "is allowed only together with text");
        if (Name is not null && Css is null)
            yield return (".name", "is allowed only together with css");
        if (Number is not null && Css is null)
            yield return (".number", "is allowed only together with css");
        if (People && Css is null)
            yield return (".people", "is allowed only together with css");
        if (Person is not null && !People)
            yield return (".person", "is allowed only together with people");
        if (Number is null && Attribute is not null)
            yield return (".attribute", "is allowed only together with number");
        if (Number is null && Sign is PageSign.ParticipantCount)
            yield return (string.Empty, "needs a number, because it counts participants");
        if (Number is not null && (SelectorPack.PatternError(Number, RegexOptions.ECMAScript, groups: 1, "number, for example (\\d+),") ?? SelectorPack.JavaScriptError(Number)) is { } error)
            yield return (".number", error);
    }
}

/// <summary>The meaning of an element on the page.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<PageSign>))]
public enum PageSign
{
    /// <summary>The request to join was refused.</summary>
    Denied,

    /// <summary>The call was left, for any reason.</summary>
    Left,

    /// <summary>Nobody answered the request to join.</summary>
    NoAnswer,

    /// <summary>The platform rejects this browser.</summary>
    Blocked,

    NotFound,

    LoginNeeded,

    Removed,

    /// <summary>The call has ended for everyone.</summary>
    Ended,

    /// <summary>The platform gave up the connection to the call, which may go on for the others.</summary>
    ConnectionLost,

    /// <summary>The platform sent the browser away from the meeting, to a page about its product.</summary>
    Bounced,

    WaitingRoom,

    GettingReady,

    NameBox,

    /// <summary>A button that closes an overlay.</summary>
    Dialog,

    /// <summary>A button that closes something; clicked only if that covers the page.</summary>
    Obstacle,

    /// <summary>A button that answers the question whether the guest is still there.</summary>
    Stay,

    MicrophoneOn,

    MicrophoneOff,

    CameraOn,

    CameraOff,

    JoinButton,

    /// <summary>A button that joins the call and removes the account's other session from it.</summary>
    SwitchButton,

    /// <summary>A button that shows more join buttons.</summary>
    OtherWays,

    /// <summary>Shown in the call and in the waiting room.</summary>
    LeaveButton,

    /// <summary>A control or a text that exists in the call only, also while the guest is alone in it.</summary>
    CallControl,

    /// <summary>Number of people in the call, including this bot.</summary>
    ParticipantCount,

    /// <summary>Names of the participants that the page shows.</summary>
    Participant,

    /// <summary>Names of the participants that the page marks as speaking.</summary>
    Speaker,
}

/// <summary>A selector pack is invalid.</summary>
public sealed class InvalidSelectorPackException(IReadOnlyList<string> faults) : InvalidJsonFileException("The selector pack", faults);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SelectorPack))]
internal sealed partial class SelectorJson : JsonSerializerContext;
