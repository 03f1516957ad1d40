using System.Net;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Everything that a bot needs around it before its container is made.</summary>
internal sealed class RecorderPreparation(
    RecorderBriefing briefing, RecorderAccess access, SessionFolders folders, LoopbackRelay relay, IOptions<JoiningOptions> joining)
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
        return new(briefing.For(bot, await RestoreAsync(bot, cancellation), traceParent), folder) { Metadata = bot.Metadata };
    }

    /// <summary>A bot that gets no container leaves nothing behind, least of all a secret or a way into Redis.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">Redis is away.</exception>
    /// <exception cref="IOException">The folder cannot be removed.</exception>
    public async Task WithdrawAsync(Bot bot)
    {
        await access.RemoveAsync(bot.Id);
        folders.Withdraw(bot.UserId, bot.Id);
    }

    /// <summary>What a bot that runs relies on and a restart, of this manager or of Redis, may have taken away.</summary>
    public async Task<RecorderCredentials> RestoreAsync(Bot bot, CancellationToken cancellation)
    {
        foreach (var port in briefing.LoopbackPorts(bot))
        {
            var isMeeting = bot.MeetingUrl.IsLoopback && bot.MeetingUrl.Port == port;
            await relay.EnsureAsync(port, isMeeting ? LoopbackRelay.Source : IPAddress.Loopback, cancellation);
        }

        return await access.EnsureAsync(bot.Id);
    }
}
