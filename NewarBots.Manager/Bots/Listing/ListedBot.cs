using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Listing;

/// <summary>The part of a bot that lists need, of limited size.</summary>
/// <param name="Id">The bot.</param>
/// <param name="UserId">The bot's user.</param>
/// <param name="Status">The bot's status.</param>
/// <param name="DueAt">The time by which lists are limited: the start time, or the request's.</param>
/// <param name="EndedAt">The time of its end.</param>
/// <param name="RecordedSeconds">Length of the recording.</param>
/// <param name="Meeting">Its <see cref="MeetingIdentity"/>.</param>
/// <param name="Name">The bot's name, in upper case.</param>
/// <param name="Text">Everything that is searched, in upper case, with a line for each part.</param>
/// <param name="Metadata">A hash of each entry of the metadata.</param>
internal sealed record ListedBot(
    SessionId Id,
    UserId UserId,
    BotStatus Status,
    DateTimeOffset DueAt,
    DateTimeOffset? EndedAt,
    double RecordedSeconds,
    string Meeting,
    string Name,
    string Text,
    IReadOnlyList<ulong> Metadata)
{
    /// <summary>Characters that are searched. Metadata can be sixteen times as long, and thousands of bots are in memory.</summary>
    public const int MaxTextLength = 4_096;

    public static ListedBot Of(Bot bot) => new(
        bot.Id, bot.UserId, bot.Status, bot.DueAt, bot.EndedAt, bot.RecordedSeconds, MeetingIdentity.Of(bot.MeetingUrl),
        bot.ShownName.ToUpperInvariant(), TextOf(bot), [.. bot.Metadata.Select(entry => HashOf(entry.Key, entry.Value))]);

    /// <summary>The first 64 bits of a SHA-256.</summary>
    public static ulong HashOf(string key, string value) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\0{value}")));

    private static string TextOf(Bot bot)
    {
        var reason = bot.Reason ?? bot.Warning?.Reason;
        string?[] parts =
        [
            bot.ShownName, bot.MeetingUrl.AbsoluteUri, WireWord.Of(bot.Status), bot.UserId.ToString(),
            reason is { } why ? $"{WireWord.Of(why)}\n{WireWord.Of(why).Replace('_', ' ')}" : null,
            .. bot.Metadata.SelectMany(entry => (string[])[entry.Key, entry.Value]),
            // Last: the page chooses these names, and the text is cut.
            .. bot.Speakers.Select(speaker => speaker.Name).Union(bot.People.Attendees.Select(attendee => attendee.Name)),
        ];
        var text = string.Join('\n', parts.OfType<string>());
        return (text.Length > MaxTextLength ? text[..MaxTextLength] : text).ToUpperInvariant();
    }
}
