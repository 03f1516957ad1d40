using System.Text.Json;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Access;

/// <summary>
/// The keys, in <c>access/keys.json</c> of the storage folder, readable by managers only. Changes by other managers or the command apply from the next
/// request on. After keys have existed, all callers are rejected while the file is missing or damaged.
/// </summary>
internal sealed partial class KeyFile(StorageLayout storage, TimeProvider time, ILogger<KeyFile> logger)
{
    /// <summary>Resolution of file timestamps: two changes within this time may have the same one.</summary>
    private static readonly TimeSpan TimestampGrain = TimeSpan.FromMilliseconds(100);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private readonly Lock _reading = new();
    private volatile Snapshot? _snapshot;

    public string Path { get; } = System.IO.Path.Combine(storage.Root, "access", "keys.json");

    /// <summary>The file's current state. It is read again only if its timestamp has changed.</summary>
    public AccessState State
    {
        get
        {
            var stamp = Stamp.Of(Path);
            if (_snapshot is { } snapshot && snapshot.Stamp == stamp && snapshot.IsSettled)
                return snapshot.State;
            lock (_reading)
            {
                var before = _snapshot;
                // Take the timestamp before reading, so that a change in between is seen next time.
                var isSettled = (stamp = Stamp.Of(Path)).Written is not { } written || time.GetUtcNow() - written > TimestampGrain;
                var state = Read(before?.State);
                if (state is AccessState.Unavailable unavailable && unavailable != before?.State)
                    Log.Unavailable(logger, unavailable.Reason);
                _snapshot = new(stamp, state, isSettled);
                return state;
            }
        }
    }

    /// <summary>Changes the list. Concurrent changes are serialized.</summary>
    /// <returns>The changed list.</returns>
    /// <exception cref="IOException">The file cannot be read or written, or another process held its lock for too long.</exception>
    /// <exception cref="UnauthorizedAccessException">The file belongs to another user.</exception>
    public async Task<KeyList> ChangeAsync(Func<KeyList, KeyList> change, CancellationToken cancellation = default)
    {
        PrivateFile.CreateFolder(System.IO.Path.GetDirectoryName(Path)!);
        using var held = await PrivateFile.LockAsync($"{Path}.lock", time, cancellation);
        var list = Read(before: null) switch
        {
            AccessState.Unavailable unavailable => throw new IOException(unavailable.Reason),
            AccessState.Keyed keyed => keyed.List,
            _ => KeyList.Empty,
        };
        var changed = change(list);
        if (!ReferenceEquals(changed, list))
            PrivateFile.Write(Path, file => JsonSerializer.Serialize(file, changed, Json));
        return changed;
    }

    private AccessState Read(AccessState? before)
    {
        try
        {
            return JsonSerializer.Deserialize<KeyList>(File.ReadAllBytes(Path), Json) is { } list && !list.Keys.Concat<object?>(list.Sessions).Contains(null)
                ? new AccessState.Keyed(list)
                : throw new JsonException("It contains a null entry.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return before is null or AccessState.Anonymous
                ? AccessState.Anonymous.Instance
                : new AccessState.Unavailable($"{Path} is missing. Restore it; or, to run without keys, restart the manager, which then serves localhost only.");
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            return new AccessState.Unavailable($"{Path} is damaged: {exception.Message} Restore it; or remove it, restart the manager and create new keys.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new AccessState.Unavailable($"{Path} cannot be read: {exception.Message} It must belong to the user that runs the manager.");
        }
    }

    private sealed record Snapshot(Stamp Stamp, AccessState State, bool IsSettled);

    private readonly record struct Stamp(DateTimeOffset? Written, long Length)
    {
        public static Stamp Of(string path)
        {
            var file = new FileInfo(path);
            return file.Exists ? new(new DateTimeOffset(file.LastWriteTimeUtc), file.Length) : default;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "All requests are rejected until the keys can be read: {Reason}")]
        public static partial void Unavailable(ILogger logger, string reason);
    }
}
