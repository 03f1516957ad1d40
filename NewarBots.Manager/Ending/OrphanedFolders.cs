using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Finds orphaned entries among the session folders: folders without audio, record and container, and entries that are no session
/// folders. Keeps the result of the last scan.
/// </summary>
internal sealed class OrphanedFolders(SessionFolders folders, IRecorderRuntime runtime, BotQueries queries)
{
    private IReadOnlyList<OrphanedFolder> _found = [];

    public IReadOnlyList<OrphanedFolder> Found => Volatile.Read(ref _found);

    /// <exception cref="ContainerEngineException">The list of containers is unavailable.</exception>
    public async Task<IReadOnlyList<OrphanedFolder>> ScanAsync(CancellationToken cancellation)
    {
        // Folders before containers and records: every bot has a record before it has a folder, so a new bot is never taken for an orphan.
        var sessions = folders.List();
        var unknown = folders.UnknownEntries();
        var remembered = folders.Remembered();
        var withContainer = (await runtime.ListAsync(cancellation)).Select(container => container.Id).ToHashSet();
        var found = new List<OrphanedFolder>();
        foreach (var session in sessions)
        {
            // The reconciler makes a recording of a folder with audio.
            if (!session.HasAudio && !withContainer.Contains(session.Id) && await queries.FindAsync(session.Id) is null)
                found.Add(new(session.Path, session));
        }

        // A manager may have crashed between removing a container and forgetting its bot.
        foreach (var (user, id) in remembered.Where(bot => !withContainer.Contains(bot.Id) && !folders.Exists(bot.User, bot.Id)))
        {
            if (await queries.FindAsync(id) is null or { Status: > BotStatus.Finalizing })
                folders.Forget(user, id);
        }

        found.AddRange(unknown.Select(path => new OrphanedFolder(path, Session: null)));
        Volatile.Write(ref _found, found);
        return found;
    }
}

/// <param name="Path">Full path of the file or folder.</param>
/// <param name="Session">The session; <see langword="null"/> for an entry that is no session folder, which is never removed.</param>
internal sealed record OrphanedFolder(string Path, SessionOnDisk? Session);

/// <summary>Lists orphaned folders. Always healthy: they do no harm.</summary>
internal sealed class OrphanedFoldersHealthCheck(OrphanedFolders orphans) : IHealthCheck
{
    private const int MaxNames = 5;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var found = orphans.Found;
        return Task.FromResult(HealthCheckResult.Healthy(found.Count == 0
            ? null
            : $"{found.Count} orphaned: {string.Join(", ", found.Take(MaxNames).Select(orphan => orphan.Path))}{(found.Count > MaxNames ? ", …" : "")}"));
    }
}
