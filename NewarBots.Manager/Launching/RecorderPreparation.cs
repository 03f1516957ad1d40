using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Launching;

/// <summary>Prepares what a bot needs before its container is created.</summary>
internal sealed class RecorderPreparation(
    RecorderAssignments assignments, RecorderAccess access, SessionFolders folders, IPortForwarding ports, IOptions<JoiningOptions> joining)
{
    /// <summary>Creates the bot's folder with its assignment, its Redis user and port forwarding. Idempotent.</summary>
    /// <param name="bot">The bot to launch.</param>
    /// <param name="traceParent">W3C trace context of the launch; <see langword="null"/> for the bot's own.</param>
    /// <param name="cancellation">Leaves the parts that exist for the next attempt.</param>
    /// <exception cref="ContainerEngineException">The engine is unreachable or refused.</exception>
    /// <exception cref="StackExchange.Redis.RedisException">The Redis user cannot be created.</exception>
    /// <exception cref="InvalidJoiningFileException">The selector pack or the storage state has become invalid.</exception>
    /// <exception cref="IOException">The folder cannot be created.</exception>
    public async Task<RecorderContainerSpec> PrepareAsync(Bot bot, string? traceParent, CancellationToken cancellation)
    {
        var inputs = JoiningFile.AllOf(joining.Value).Select(file => (file.NameInSession, Text: file.Read())).ToList();
        var folder = folders.Create(bot.UserId, bot.Id);
        folders.Remember(bot.UserId, bot.Id, BotRecords.Serialize(bot));
        inputs.Add((SessionInput.Assignment, assignments.Create(bot, await access.EnsureAsync(bot.Id), traceParent).ToJson()));
        foreach (var (name, text) in inputs)
            folders.WriteInput(bot.UserId, bot.Id, name, text);
        await ForwardPortsAsync([bot], cancellation);
        return new(bot.Id, bot.UserId, assignments.Environment.ToVariables(), folder);
    }

    /// <summary>Removes the Redis user and the input files of a bot that gets no container, because they hold secrets.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">Redis is unreachable.</exception>
    /// <exception cref="IOException">The folder cannot be removed.</exception>
    public async Task UndoAsync(Bot bot)
    {
        await access.RemoveAsync(bot.Id);
        folders.RemoveInputs(bot.UserId, bot.Id);
        // A recorder that has run after all may have written audio.
        if (!folders.Exists(bot.UserId, bot.Id))
            folders.Forget(bot.UserId, bot.Id);
    }

    /// <summary>Forwards the loopback ports that the bots need, each once.</summary>
    /// <exception cref="ContainerEngineException">The engine's networks are unknown.</exception>
    public async Task ForwardPortsAsync(IEnumerable<Bot> bots, CancellationToken cancellation)
    {
        foreach (var (port, service) in bots.SelectMany(assignments.LoopbackPorts).Distinct())
            await ports.EnsureAsync(port, service, cancellation);
    }
}
