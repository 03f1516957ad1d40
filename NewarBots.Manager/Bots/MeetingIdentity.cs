namespace NewarBots.Manager.Bots;

/// <summary>
/// What makes two URLs the same meeting. On Google Meet the path names it, with or without hyphens, and the query only says who is asking; on
/// any other page the query belongs to the address (a rehearsal's scenario).
/// </summary>
internal static class MeetingIdentity
{
    public static string Of(Uri url) => url.Host == MeetingOptions.GoogleMeetHost
        ? $"{url.Host}{url.AbsolutePath.TrimEnd('/').Replace("-", string.Empty, StringComparison.Ordinal).ToLowerInvariant()}"
        : url.GetLeftPart(UriPartial.Query);
}
