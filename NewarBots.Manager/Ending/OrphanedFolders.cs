using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Looks for what lies among the sessions and is nobody's: a session's folder without audio, record and container, or something
/// that no session has made. What was found last can be asked for at any time.
/// </summary>
internal sealed class OrphanedFolders(StorageLayout storage, SessionFolders folders, IRecorderContainers containers, BotStore store)
{
    private IReadOnlyList<OrphanedFolder> _found = [];

    public IReadOnlyList<OrphanedFolder> Found => Volatile.Read(ref _found);

    /// <exception cref="ContainerEngineException">Nobody can say what runs.</exception>
    public async Task<IReadOnlyList<OrphanedFolder>> LookAsync(CancellationToken cancellation)
    {
        // Folders before containers and records: a bot has a record before it has either, so nothing is just being born.
        var sessions = folders.List();
        var strangers = folders.Strangers();
        var running = (await containers.ListAsync(cancellation)).Select(container => container.Id).ToHashSet();
        var found = new List<OrphanedFolder>();
        foreach (var session in sessions)
        {
            // One with audio becomes a recording by reconciliation.
            if (!session.HasAudio && !running.Contains(session.Id) && await store.FindAsync(session.Id) is null)
                found.Add(new(storage.SessionFolder(session.UserId, session.Id), session));
        }

        found.AddRange(strangers.Select(path => new OrphanedFolder(path, Session: null)));
        Volatile.Write(ref _found, found);
        return found;
    }
}

/// <param name="Path">Where it lies.</param>
/// <param name="Session">Whose folder it was; <see langword="null"/> for something that no session has made, which is not ours to remove.</param>
internal sealed record OrphanedFolder(string Path, SessionOnDisk? Session);
