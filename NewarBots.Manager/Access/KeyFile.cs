using System.Text.Json;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Access;

/// <summary>
/// The keys, in <c>access/keys.json</c> of the storage folder, for the managers alone to read. Whoever changes it, another
/// manager or the command, is noticed at the next request. Once there were keys, nothing that happens to the file opens the door.
/// </summary>
internal sealed partial class KeyFile(StorageLayout storage, TimeProvider time, ILogger<KeyFile> logger)
{
    /// <summary>Two changes so close together may leave the file with the same time.</summary>
    private static readonly TimeSpan TimestampGrain = TimeSpan.FromMilliseconds(100);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private readonly Lock _reading = new();
    private volatile Seen? _seen;

    public string Path { get; } = System.IO.Path.Combine(storage.Root, "access", "keys.json");

    /// <summary>As the file says now: one look at its time, and a reading where that has changed.</summary>
    public AccessState State
    {
        get
        {
            var stamp = Stamp.Of(Path);
            if (_seen is { } seen && seen.Stamp == stamp && seen.IsSettled)
                return seen.State;
            lock (_reading)
            {
                var before = _seen;
                // Looked at before it is read: what changes in between is seen the next time.
                var isSettled = (stamp = Stamp.Of(Path)).Written is not { } written || time.GetUtcNow() - written > TimestampGrain;
                var state = Read(before?.State);
                if (state is AccessState.Unavailable unavailable && unavailable != before?.State)
                    Log.Unavailable(logger, unavailable.Why);
                _seen = new(stamp, state, isSettled);
                return state;
            }
        }
    }

    /// <summary>Changes the list; of several who do at once, one after the other.</summary>
    /// <returns>The list as it is then.</returns>
    /// <exception cref="IOException">The file cannot be read or written, or somebody else has held it for too long.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public async Task<KeyList> ChangeAsync(Func<KeyList, KeyList> change, CancellationToken cancellation = default)
    {
        PrivateFile.CreateFolder(System.IO.Path.GetDirectoryName(Path)!);
        using var held = await PrivateFile.LockAsync($"{Path}.lock", time, cancellation);
        var list = Read(before: null) switch
        {
            AccessState.Unavailable unavailable => throw new IOException(unavailable.Why),
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
                : throw new JsonException("Something in it is null.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return before is null or AccessState.Anonymous
                ? AccessState.Anonymous.One
                : new AccessState.Unavailable($"{Path} is gone. Put it back; or, for no keys at all, restart the manager, which then serves this machine alone.");
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            return new AccessState.Unavailable($"{Path} is damaged: {exception.Message} Put a good one in its place; or remove it, restart the manager and make new keys.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new AccessState.Unavailable($"{Path} cannot be read: {exception.Message} It has to belong to the user that the manager runs as.");
        }
    }

    private sealed record Seen(Stamp Stamp, AccessState State, bool IsSettled);

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
        [LoggerMessage(LogLevel.Error, "Nobody is let in: {Why}")]
        public static partial void Unavailable(ILogger logger, string why);
    }
}
