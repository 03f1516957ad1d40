using System.Globalization;
using Microsoft.Extensions.Primitives;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Bots.Listing;

/// <summary>The validated query of <c>GET /bots</c>.</summary>
internal sealed record ListRequest
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;
    public const int MaxTextLength = 200;

    /// <summary>Names of parameters that filter by an entry of the metadata begin with this.</summary>
    public const string MetadataPrefix = "metadata.";

    /// <summary>Only bots of this user, if given.</summary>
    public UserId? User { get; init; }

    /// <summary>Only bots with one of these statuses; all if empty.</summary>
    public IReadOnlySet<BotStatus> Statuses { get; init; } = new HashSet<BotStatus>();

    /// <summary>The text to search for, in upper case.</summary>
    public string? Text { get; init; }

    /// <summary>If the text is an id, that bot matches too.</summary>
    public SessionId? Id { get; init; }

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }

    /// <inheritdoc cref="ListedBot.Meeting"/>
    public string? Meeting { get; init; }

    /// <inheritdoc cref="ListedBot.Metadata"/>
    public IReadOnlyList<ulong> Metadata { get; init; } = [];

    public BotOrder Order { get; init; }

    public int Limit { get; init; } = DefaultLimit;

    /// <summary>Only bots after this place.</summary>
    public ListPlace? After { get; init; }

    /// <summary>Whether a bot matches all filters other than the one by status.</summary>
    public bool Matches(ListedBot bot) =>
        (User is null || bot.UserId == User)
        && (From is null || bot.DueAt >= From)
        && (To is null || bot.DueAt < To)
        && (Meeting is null || bot.Meeting == Meeting)
        && (Text is null || bot.Text.Contains(Text, StringComparison.Ordinal) || bot.Id == Id)
        && Metadata.All(bot.Metadata.Contains);

    public bool HasStatus(ListedBot bot) => Statuses.Count == 0 || Statuses.Contains(bot.Status);

    /// <returns>The request; or <see langword="null"/> and all faults, by parameter.</returns>
    public static (ListRequest? Request, IReadOnlyDictionary<string, string[]> Faults) Read(IQueryCollection query, Caller caller)
    {
        var faults = new FaultList();
        var request = new ListRequest();
        var (user, userFault) = caller.ResolveUser(query["userId"].FirstOrDefault());
        if (userFault is not null)
            faults.Add("userId", userFault);
        request = request with { User = user };
        foreach (var (name, values) in query)
        {
            if (values.Count > 1 && name is not "status")
                faults.Add(RequestBody.FieldName(name), "must be given once");
            var value = values.FirstOrDefault() ?? string.Empty;
            request = name switch
            {
                "q" => ReadText(request, value, faults),
                "status" => request with { Statuses = ReadStatuses(values, faults) },
                "from" => request with { From = ReadTime(name, value, faults) },
                "to" => request with { To = ReadTime(name, value, faults) },
                "meetingUrl" => request with { Meeting = ReadMeeting(value, faults) },
                "sort" => request with { Order = ReadOrder(value, faults) },
                "limit" => request with { Limit = ReadLimit(value, faults) },
                "cursor" => request with { After = ReadCursor(value, faults) },
                "userId" => request,
                _ when name.StartsWith(MetadataPrefix, StringComparison.Ordinal) && name.Length > MetadataPrefix.Length =>
                    request with { Metadata = [.. request.Metadata, ListedBot.HashOf(name[MetadataPrefix.Length..], value)] },
                _ => request,
            };
        }

        return faults.ByField.Count == 0 ? (request, faults.ByField) : (null, faults.ByField);
    }

    private static ListRequest ReadText(ListRequest request, string text, FaultList faults)
    {
        text = text.Trim();
        if (text.Length > MaxTextLength)
            faults.Add("q", $"must have at most {MaxTextLength} characters");
        return text.Length == 0 ? request : request with
        {
            Text = text.ToUpperInvariant(),
            Id = SessionId.TryParse(text.ToLowerInvariant(), provider: null, out var id) ? id : null,
        };
    }

    private static HashSet<BotStatus> ReadStatuses(StringValues words, FaultList faults)
    {
        var statuses = new HashSet<BotStatus>();
        foreach (var word in words)
        {
            if (WireWord.TryParse<BotStatus>(word, out var status))
                statuses.Add(status);
            else if (!faults.ByField.ContainsKey("status"))
                faults.Add("status", $"must be one of {string.Join(", ", Enum.GetValues<BotStatus>().Select(WireWord.Of))}");
        }

        return statuses;
    }

    private static DateTimeOffset? ReadTime(string name, string text, FaultList faults)
    {
        // The parser would take the machine's time zone for a time without an offset.
        if (DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) && time.Kind is not DateTimeKind.Unspecified
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at))
            return at;
        faults.Add(name, "must be a time with an offset (ISO 8601), for example 2026-03-01T09:00:00Z; write the + of an offset as %2B");
        return null;
    }

    private static string? ReadMeeting(string text, FaultList faults)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return MeetingIdentity.Of(MeetingUrlPolicy.Normalize(url));
        faults.Add("meetingUrl", "must be the meeting's address, for example https://meet.google.com/abc-defg-hij");
        return null;
    }

    private static BotOrder ReadOrder(string word, FaultList faults)
    {
        if (!WireWord.TryParse<BotOrder>(word, out var order))
            faults.Add("sort", $"must be one of {string.Join(", ", Enum.GetValues<BotOrder>().Select(WireWord.Of))}");
        return order;
    }

    private static int ReadLimit(string text, FaultList faults)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > MaxLimit)
            faults.Add("limit", $"must be a number from 1 to {MaxLimit}");
        return limit;
    }

    private static ListPlace? ReadCursor(string text, FaultList faults)
    {
        var place = ListPlace.TryParse(text);
        if (place is null)
            faults.Add("cursor", "must be a nextCursor returned by this endpoint");
        return place;
    }
}
