using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Listing;

/// <summary>The order of a list. In JSON as snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<BotOrder>))]
internal enum BotOrder
{
    /// <summary>The latest request first.</summary>
    Newest,

    /// <summary>The earliest request first.</summary>
    Oldest,

    /// <summary>Active bots, the latest request first; then scheduled ones, the next start first; then ended ones, the latest end first.</summary>
    Activity,

    /// <summary>By the bot's name.</summary>
    Name,

    /// <summary>The longest recording first.</summary>
    Longest,
}

/// <summary>The place of a bot in a list. The last place of a page is the cursor of the next page, so it stays valid if its bot changes or is deleted.</summary>
/// <param name="Group">Groups follow each other.</param>
/// <param name="Value">Ascending within a group.</param>
/// <param name="Text">Ascending within equal values.</param>
/// <param name="Id">The last criterion.</param>
internal readonly record struct ListPlace(int Group, long Value, string Text, SessionId Id)
{
    private const char Separator = '.';

    public static ListPlace Of(ListedBot bot, BotOrder order) => order switch
    {
        BotOrder.Activity when bot.Status.IsTerminal() => new(2, -(bot.EndedAt ?? bot.DueAt).ToUnixTimeMilliseconds(), string.Empty, bot.Id),
        BotOrder.Activity when bot.Status is BotStatus.Scheduled => new(1, bot.DueAt.ToUnixTimeMilliseconds(), string.Empty, bot.Id),
        BotOrder.Name => new(0, 0, bot.Name, bot.Id),
        BotOrder.Longest => new(0, -(long)(bot.RecordedSeconds * 1000), string.Empty, bot.Id),
        _ => new(0, 0, string.Empty, bot.Id),
    };

    /// <summary>Bots at the same place are in the order of their requests, the latest first.</summary>
    public static IComparer<ListPlace> Comparer(BotOrder order) => Comparer<ListPlace>.Create((a, b) =>
    {
        if (a.Group != b.Group)
            return a.Group.CompareTo(b.Group);
        if (a.Value != b.Value)
            return a.Value.CompareTo(b.Value);
        if (string.CompareOrdinal(a.Text, b.Text) is not 0 and var byText)
            return byText;
        return order is BotOrder.Oldest ? a.Id.CompareTo(b.Id) : b.Id.CompareTo(a.Id);
    });

    public string ToCursor() => this is { Group: 0, Value: 0, Text: "" }
        ? Id.ToString()
        : string.Join(Separator, Id, Group, Value, Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Text)));

    /// <returns><see langword="null"/> if the text is no cursor.</returns>
    public static ListPlace? TryParse(string cursor)
    {
        var parts = cursor.Split(Separator);
        if (parts.Length is not (1 or 4) || !SessionId.TryParse(parts[0], provider: null, out var id))
            return null;
        if (parts.Length == 1)
            return new(0, 0, string.Empty, id);
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var group)
            && long.TryParse(parts[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && Base64Url.IsValid(parts[3])
                ? new(group, value, Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[3])), id)
                : null;
    }
}
