using System.Net;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;

namespace NewarBots.Manager.Launching;

/// <summary>Everything that a bot needs around it before its container is made.</summary>
internal sealed class RecorderPreparation(
    RecorderEnvironmentFactory briefing, RecorderAccess access, SessionFolders folders, LoopbackRelay relay, IOptions<JoiningOptions> joining)
{
    /// <summary>Its folder, its Redis user, its way to this machine. Doing it again changes nothing.</summary>
    /// <param name="bot">Whose.</param>
    /// <param name="traceParent">W3C trace context of the launch; the bot's own where there is none.</param>
    /// <param name="cancellation">Leaves what has been made: the next preparation takes it up.</param>
    /// <exception cref="ContainerEngineException">The engine cannot be asked, or refused.</exception>
    /// <exception cref="StackExchange.Redis.RedisException">The Redis user cannot be made.</exception>
    /// <exception cref="InvalidJoiningFileException">The selector pack or the storage state cannot be used any more.</exception>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public async Task<RecorderContainerSpec> PrepareAsync(Bot bot, string? traceParent, CancellationToken cancellation)
    {
        var inputs = JoiningFile.Of(joining.Value).Select(file => (file.NameInSession, Text: file.Read())).ToList();
        var folder = folders.Make(bot.UserId, bot.Id);
        foreach (var (name, text) in inputs)
            folders.Lay(bot.UserId, bot.Id, name, text);
        await OpenWaysAsync([bot], cancellation);
        return new(briefing.For(bot, await access.EnsureAsync(bot.Id), traceParent), folder) { Metadata = bot.Metadata };
    }

    /// <summary>A bot that gets no container leaves nothing behind, least of all a secret or a way into Redis.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">Redis is away.</exception>
    /// <exception cref="IOException">The folder cannot be removed.</exception>
    public async Task WithdrawAsync(Bot bot)
    {
        await access.RemoveAsync(bot.Id);
        folders.Withdraw(bot.UserId, bot.Id);
    }

    /// <summary>Opens the ways by which the bots reach this machine: each once, however many bots take it.</summary>
    /// <exception cref="ContainerEngineException">The engine cannot say where its containers are.</exception>
    public async Task OpenWaysAsync(IEnumerable<Bot> bots, CancellationToken cancellation)
    {
        foreach (var (port, source) in bots.SelectMany(WaysOf).Distinct())
            await relay.EnsureAsync(port, source, cancellation);
    }

    private IEnumerable<(int Port, IPAddress Source)> WaysOf(Bot bot) =>
        from port in briefing.LoopbackPorts(bot)
        let isMeeting = bot.MeetingUrl.IsLoopback && bot.MeetingUrl.Port == port
        select (port, isMeeting ? LoopbackRelay.Source : IPAddress.Loopback);
}
