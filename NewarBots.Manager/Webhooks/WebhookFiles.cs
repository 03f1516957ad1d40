using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// The webhooks, a file each in <c>webhooks/</c> of the storage folder, which only managers can read: who is to be told outlives an
/// emptied Redis, and all managers of one storage know the same ones.
/// </summary>
internal sealed partial class WebhookFiles(StorageLayout storage, TimeProvider time, ILogger<WebhookFiles> logger)
{
    private const string Extension = ".json";

    /// <summary>The folder's time is as coarse as the file system's clock: what is younger than this may not tell of a change that came right behind.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    private readonly string _folder = Path.Combine(storage.Root, "webhooks");
    private readonly Lock _reading = new();
    private (DateTime WrittenAt, IReadOnlyList<Webhook> Webhooks) _read = (default, []);

    /// <summary>
    /// All of them, oldest first. They are read again whenever the folder has changed; what cannot be read at the moment stays as it was,
    /// so that nothing goes untold meanwhile.
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
                    if (_read.WrittenAt != writtenAt || (time.GetUtcNow().UtcDateTime - writtenAt).Duration() < Settled)
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

    /// <returns><see langword="false"/> where its user has <paramref name="atMost"/> already.</returns>
    public async Task<bool> AddAsync(Webhook webhook, int atMost, CancellationToken cancellation)
    {
        using var held = await LockAsync(cancellation);
        if (All.Count(known => known.UserId == webhook.UserId) >= atMost)
            return false;
        Write(webhook);
        return true;
    }

    /// <returns>As it is then; <see langword="null"/> where it has been removed.</returns>
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
        var found = new List<Webhook>();
        if (!Directory.Exists(_folder))
            return found;
        foreach (var path in Directory.EnumerateFiles(_folder, $"*{Extension}"))
        {
            try
            {
                found.Add(JsonSerializer.Deserialize<Webhook>(File.ReadAllBytes(path), JsonSerializerOptions.Web) is { } webhook && path == PathOf(webhook.Id)
                    ? webhook
                    : throw new JsonException("It holds no webhook of this name."));
            }
            catch (FileNotFoundException)
            {
                // It has just been removed.
            }
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
            {
                Log.Unreadable(logger, path, exception.Message);
                found.AddRange(before.Where(webhook => path == PathOf(webhook.Id)));
            }
        }

        return [.. found.OrderBy(webhook => webhook.Id, StringComparer.Ordinal)];
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Path} cannot be read, so what was known of its webhooks counts: {Why}")]
        public static partial void Unreadable(ILogger logger, string path, string why);
    }
}
