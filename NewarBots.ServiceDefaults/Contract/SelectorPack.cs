using System.Text.Json;
using System.Text.Json.Serialization;

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
    /// <exception cref="InvalidSelectorPackException">Names the place of the error.</exception>
    public static SelectorPack Parse(string json)
    {
        SelectorPack pack;
        try
        {
            pack = JsonSerializer.Deserialize(json, SelectorJson.Default.SelectorPack) ?? throw new InvalidSelectorPackException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new InvalidSelectorPackException(exception.Message);
        }

        if (pack.Entries is not { Count: > 0 })
            throw new InvalidSelectorPackException("it has no entries");
        foreach (var entry in pack.Entries)
        {
            if (string.IsNullOrWhiteSpace(entry.Id) || pack.Entries.Count(other => other.Id == entry.Id) > 1)
                throw new InvalidSelectorPackException($"the id '{entry.Id}' is missing or used twice");
            if (((string?[])[entry.Text, entry.Control, entry.Css, entry.Host]).Count(way => !string.IsNullOrWhiteSpace(way)) != 1)
                throw new InvalidSelectorPackException($"entry '{entry.Id}' must have exactly one of text, control, css and host");
        }

        return pack;
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
    bool People = false);

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
public sealed class InvalidSelectorPackException(string what) : Exception($"The selector pack cannot be used: {what}.");

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SelectorPack))]
internal sealed partial class SelectorJson : JsonSerializerContext;
