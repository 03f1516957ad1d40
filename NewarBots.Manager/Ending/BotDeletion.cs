using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Ending;

internal enum DeletionResult
{
    Deleted,

    /// <summary>The bot may still be in its meeting, or waits for it.</summary>
    Active,

    /// <summary>Another task or manager is ending or deleting the bot.</summary>
    Busy,
}

/// <summary>
/// Deletes a bot with all its data at a user's request. A bot whose recorder has exited can be deleted even if it cannot end: it ends first, so that
/// webhooks and event streams get its end. Holds the bot's lease, so that no attempt to end it works on files that disappear. An attempt of this manager
/// that takes long is interrupted.
/// </summary>
internal sealed class BotDeletion(
    BotQueries queries, BotCommands commands, BotLeases leases, IRecorderRuntime runtime, BotRemover remover, FinalizationTurns turns,
    RetryBackoff backoff, TimeProvider time)
{
    /// <summary>A pass of another task over an ended bot is short.</summary>
    private static readonly TimeSpan LeaseTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LeaseRetryInterval = TimeSpan.FromMilliseconds(200);

    /// <exception cref="ContainerEngineException">The engine is unreachable, or refused to remove the container.</exception>
    public async Task<DeletionResult> DeleteAsync(Bot bot, CancellationToken cancellation)
    {
        if (bot.Status is BotStatus.Scheduled)
        {
            if (await DeleteScheduledAsync(bot.Id))
                return DeletionResult.Deleted;
            // It was stopped or started meanwhile.
            bot = await queries.FindAsync(bot.Id) ?? bot;
        }

        if (!MayHaveExited(bot))
            return DeletionResult.Active;
        var free = await TakeLeaseAsync(bot.Id, cancellation);
        using var suspension = free is null ? turns.Suspend(bot.Id) : null;
        await using var lease = free ?? await TakeLeaseAsync(bot.Id, cancellation);
        if (lease is null)
            return DeletionResult.Busy;
        if (await queries.FindAsync(bot.Id) is not { } current)
            return DeletionResult.Deleted;
        if (!current.Status.IsTerminal())
        {
            if (await runtime.FindAsync(bot.Id, lease.Lost) is { MayRun: true })
                return DeletionResult.Active;
            current = await commands.UpdateAsync(bot.Id, EndUnfinished) ?? current;
        }

        await remover.DeleteAsync(current, lease.Lost);
        backoff.Forget(bot.Id);
        return DeletionResult.Deleted;
    }

    /// <summary>Cancels the bot first, so that webhooks get its end. It has never had a container or a file.</summary>
    /// <returns><see langword="false"/> if it has started meanwhile.</returns>
    private async Task<bool> DeleteScheduledAsync(SessionId id)
    {
        var isCancelled = false;
        var cancelled = await commands.UpdateAsync(id, bot =>
        {
            isCancelled = bot.Status is BotStatus.Scheduled;
            return isCancelled ? BotLifecycle.StopAsked(bot, time.GetUtcNow()) : bot;
        });
        if (!isCancelled || cancelled is null)
            return cancelled is null;
        await commands.DeleteAsync(cancelled);
        return true;
    }

    private static bool MayHaveExited(Bot bot) => bot.Status >= BotStatus.Finalizing || bot.FailedEnd is not null;

    private Bot EndUnfinished(Bot bot) => BotLifecycle.FinalizationFailed(
        BotLifecycle.FinalizationBegun(bot, exit: null), "The bot was deleted before its recording was finished.", time.GetUtcNow());

    private async Task<BotLease?> TakeLeaseAsync(SessionId id, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            if (await leases.TryTakeAsync(id, cancellation) is { } lease)
                return lease;
            if (time.GetElapsedTime(begun) > LeaseTimeout)
                return null;
            await Task.Delay(LeaseRetryInterval, time, cancellation);
        }
    }
}
