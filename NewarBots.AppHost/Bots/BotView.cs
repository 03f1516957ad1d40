
namespace NewarBots.AppHost.Bots;

/// <summary>A bot as the dashboard displays it.</summary>
/// <param name="State">The displayed state.</param>
/// <param name="Style"><c>success</c>, <c>info</c>, <c>warning</c> or <c>error</c>.</param>
/// <param name="Source">The meeting's URL.</param>
/// <param name="Properties">Known names and values, in order.</param>
/// <param name="Links">Texts, and paths relative to the manager.</param>
internal sealed record BotView(
    string State,
    string Style,
    string Source,
    IReadOnlyList<KeyValuePair<string, string>> Properties,
    IReadOnlyList<KeyValuePair<string, string>> Links)
{
    public static BotView Of(ManagedBot bot) => new(StateOf(bot), StyleOf(bot), bot.MeetingUrl, [.. PropertiesOf(bot)], [.. LinksOf(bot)]);

    /// <summary>The dashboard itself uses "Waiting" for a resource that waits for another one.</summary>
    private static string StateOf(ManagedBot bot) => bot.Status switch
    {
        "waiting" => "In the waiting room",
        "failed" => $"Failed: {bot.Reason}",
        _ => string.Concat(bot.Status[..1].ToUpperInvariant(), bot.Status.AsSpan(1)),
    };

    private static string StyleOf(ManagedBot bot) => bot switch
    {
        { Status: "failed" } => "error",
        { Status: "waiting" } => "warning",
        { IsScheduled: true, Reason: not null } => "warning",
        { Status: "recording" } => bot.Reason is null ? "success" : "warning",
        { Status: "completed" } => bot.Recording is { Complete: true } ? "success" : "warning",
        _ => "info",
    };

    private static IEnumerable<KeyValuePair<string, string>> PropertiesOf(ManagedBot bot)
    {
        yield return new("Name", bot.BotName);
        yield return new("User", bot.UserId);
        if (bot is { IsScheduled: true, StartAt: { } startAt })
            yield return new("Starts at", $"{startAt:u}");
        if (bot.Reason is { } reason)
            yield return new("Reason", reason);
        if (bot.Error is { } error)
            yield return new("Error", error);
        if (bot.Chunks > 0)
            yield return new("Recorded", $"{bot.RecordedSeconds:0} s in {bot.Chunks} chunks");
        if (bot.Participants is { } participants)
            yield return new("Participants", $"{participants}");
    }

    private static IEnumerable<KeyValuePair<string, string>> LinksOf(ManagedBot bot)
    {
        var path = $"/bots/{bot.Id}";
        yield return new("Open", $"/#{path}");
        if (bot.Recording is not null)
        {
            yield return new("Download", $"{path}/recording");
            yield return new("Manifest", $"{path}/manifest");
        }
        if (bot.Status is "failed")
            yield return new("Evidence", $"{path}/evidence");
    }
}
