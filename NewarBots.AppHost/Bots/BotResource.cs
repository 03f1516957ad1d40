namespace NewarBots.AppHost.Bots;

/// <summary>A bot in the dashboard's list: it comes and goes while the AppHost runs, and is in no model.</summary>
internal sealed class BotResource : Resource, IResourceWithParent<ProjectResource>
{
    public const string Type = "Bot";

    /// <param name="bot">Its container's name is the resource's.</param>
    /// <param name="manager">Whose bot it is.</param>
    /// <param name="api">How it is stopped.</param>
    public BotResource(ManagedBot bot, ProjectResource manager, ManagerApi api) : base(bot.ContainerName)
    {
        Bot = bot;
        Parent = manager;
        Annotations.Add(new ResourceCommandAnnotation(
            KnownResourceCommands.StopCommand,
            "Stop",
            _ => Bot.CanBeStopped ? ResourceCommandState.Enabled : Bot.HasEnded ? ResourceCommandState.Hidden : ResourceCommandState.Disabled,
            async context => await api.StopAsync(bot.Id, context.CancellationToken)
                ? CommandResults.Success()
                : CommandResults.Failure("The bot has ended already."),
            displayDescription: "It leaves the meeting and keeps what was recorded.",
            arguments: null,
            confirmationMessage: null,
            iconName: "Stop",
            iconVariant: IconVariant.Filled,
            isHighlighted: true));
    }

    public ProjectResource Parent { get; }

    /// <summary>What was last known of it.</summary>
    public ManagedBot Bot { get; set; }
}
