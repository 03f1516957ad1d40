namespace NewarBots.AppHost.Bots;

/// <summary>A bot in the dashboard's list. It is created and hidden at run time and is not part of the application model.</summary>
internal sealed class BotResource : Resource, IResourceWithParent<ProjectResource>
{
    public const string Type = "Bot";

    /// <param name="bot">The resource is named after its container.</param>
    /// <param name="manager">The parent in the dashboard.</param>
    /// <param name="api">Executes the stop command.</param>
    public BotResource(ManagedBot bot, ProjectResource manager, ManagerApi api) : base(bot.ContainerName)
    {
        Bot = bot;
        Parent = manager;
        Annotations.Add(new ResourceCommandAnnotation(
            KnownResourceCommands.StopCommand,
            "Stop",
            _ => Bot.CanBeStopped ? ResourceCommandState.Enabled : Bot.HasEnded ? ResourceCommandState.Hidden : ResourceCommandState.Disabled,
            context => CommandAnswer.OfAsync(() => StopAsync(api, context.CancellationToken)),
            displayDescription: "The bot leaves the meeting and keeps its recording.",
            arguments: null,
            confirmationMessage: null,
            iconName: "Stop",
            iconVariant: IconVariant.Filled,
            isHighlighted: true));
    }

    public ProjectResource Parent { get; }

    /// <summary>Its last known state.</summary>
    public ManagedBot Bot { get; set; }

    /// <returns>The result in one sentence.</returns>
    private async Task<string> StopAsync(ManagerApi api, CancellationToken cancellation)
    {
        var isScheduled = Bot.IsScheduled;
        if (!await api.StopAsync(Bot.Id, cancellation))
            return "The bot has already ended.";
        return isScheduled
            ? $"{Bot.BotName} will not join the meeting."
            : $"{Bot.BotName} is leaving the meeting. Its recording follows in a moment.";
    }
}
