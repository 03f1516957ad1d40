using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// The webhooks, each in a file in <c>webhooks/</c> of the storage folder, readable by managers only. They survive a loss of Redis's data, and
/// all managers that share the storage use the same ones.
/// </summary>
internal sealed partial class WebhookFiles(StorageLayout storage, TimeProvider time, ILogger<WebhookFiles> logger)
{
    private const string Extension = ".json";

    /// <summary>Resolution of folder timestamps: two changes within this time may have the same one, so recent folders are read again.</summary>
    private static readonly TimeSpan TimestampGrain = TimeSpan.FromSeconds(1);

    private readonly string _folder = Path.Combine(storage.Root, "webhooks");
    private readonly Lock _reading = new();
    private (DateTime WrittenAt, IReadOnlyList<Webhook> Webhooks) _read = (default, []);

    /// <summary>
    /// All webhooks, oldest first. They are read again if the folder has changed. An unreadable file keeps its last known webhook, so that no
    /// message is lost.
    /// </summary>
    public IReadOnlyList<Webhook> All
    {
        get
        {
            lock (_reading)
            {
                try
                {
                    var writtenAt = Directory.GetLastWriteTimeUtc(_folder);
                    if (_read.WrittenAt != writtenAt || (time.GetUtcNow().UtcDateTime - writtenAt).Duration() < TimestampGrain)
                        _read = (writtenAt, ReadAll(before: _read.Webhooks));
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    Log.Unreadable(logger, _folder, exception.Message);
                }

                return _read.Webhooks;
            }
        }
    }

    public Webhook? Find(string id) => All.FirstOrDefault(webhook => webhook.Id == id);

    /// <returns><see langword="false"/> if the user already has <paramref name="maxPerUser"/> webhooks.</returns>
    public async Task<bool> AddAsync(Webhook webhook, int maxPerUser, CancellationToken cancellation)
    {
        using var held = await LockAsync(cancellation);
        if (All.Count(other => other.UserId == webhook.UserId) >= maxPerUser)
            return false;
        Write(webhook);
        return true;
    }

    /// <returns>The changed webhook; <see langword="null"/> if it no longer exists.</returns>
    public async Task<Webhook?> ChangeAsync(string id, Func<Webhook, Webhook> change, CancellationToken cancellation)
    {
        using var held = await LockAsync(cancellation);
        if (Find(id) is not { } webhook)
            return null;
        var changed = change(webhook);
        Write(changed);
        return changed;
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        using var held = await LockAsync(cancellation);
        if (Find(id) is { } webhook)
            File.Delete(PathOf(webhook.Id));
    }

    private Task<IDisposable> LockAsync(CancellationToken cancellation)
    {
        PrivateFile.CreateFolder(_folder);
        return PrivateFile.LockAsync(Path.Combine(_folder, ".lock"), time, cancellation);
    }

    private void Write(Webhook webhook) =>
        PrivateFile.Write(PathOf(webhook.Id), file => JsonSerializer.Serialize(file, webhook, JsonSerializerOptions.Web));

    private string PathOf(string id) => Path.Combine(_folder, id + Extension);

    private List<Webhook> ReadAll(IReadOnlyList<Webhook> before)
    {
        var webhooks = new List<Webhook>();
        if (!Directory.Exists(_folder))
            return webhooks;
        foreach (var path in Directory.EnumerateFiles(_folder, $"*{Extension}"))
        {
            try
            {
                webhooks.Add(JsonSerializer.Deserialize<Webhook>(File.ReadAllBytes(path), JsonSerializerOptions.Web) is { } webhook && path == PathOf(webhook.Id)
                    ? webhook
                    : throw new JsonException("It contains no webhook with the id in its name."));
            }
            catch (FileNotFoundException)
            {
                // Another manager has just removed it.
            }
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
            {
                Log.Unreadable(logger, path, exception.Message);
                webhooks.AddRange(before.Where(webhook => path == PathOf(webhook.Id)));
            }
        }

        return [.. webhooks.OrderBy(webhook => webhook.Id, StringComparer.Ordinal)];
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Path} cannot be read; its last known webhooks stay in use: {Reason}")]
        public static partial void Unreadable(ILogger logger, string path, string reason);
    }
}
