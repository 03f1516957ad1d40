using Docker.DotNet;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Reads what the recorders' containers print.</summary>
internal sealed class DockerContainerLogs(DockerEngine engine, DockerContainerLookup lookup)
{
    /// <summary>Longer logs are cut. Docker itself keeps the last 10 MB of a log as JSON.</summary>
    private const int MaxBytes = 16 * 1024 * 1024;

    public Task CopyAsync(SessionId id, Stream destination, CancellationToken cancellation) =>
        CopyLogAsync(id, destination, follow: false, DockerEngine.LongTimeout, cancellation);

    public Task FollowAsync(SessionId id, Stream destination, CancellationToken cancellation) =>
        CopyLogAsync(id, destination, follow: true, Timeout.InfiniteTimeSpan, cancellation);

    private async Task CopyLogAsync(SessionId id, Stream destination, bool follow, TimeSpan timeout, CancellationToken cancellation)
    {
        if (await lookup.InspectOwnAsync(id, cancellation) is not { } container)
            return;

        await engine.CallAsync(
            timeout,
            async (docker, token) =>
            {
                try
                {
                    using var log = await docker.Containers.GetContainerLogsAsync(
                        container.ID, tty: false, new() { ShowStdout = true, ShowStderr = true, Follow = follow }, token);
                    await CopyAsync(log, destination, token);
                }
                catch (DockerContainerNotFoundException)
                {
                    // It was removed in the meantime.
                }
            },
            cancellation);
    }

    private static async Task CopyAsync(MultiplexedStream log, Stream destination, CancellationToken cancellation)
    {
        var buffer = new byte[32 * 1024];
        var left = MaxBytes;
        while (left > 0)
        {
            var read = await log.ReadOutputAsync(buffer, 0, Math.Min(buffer.Length, left), cancellation);
            if (read.EOF)
                return;
            await destination.WriteAsync(buffer.AsMemory(0, read.Count), cancellation);
            left -= read.Count;
        }
        await destination.WriteAsync("\n(The log was longer than 16 MB and is cut here.)\n"u8.ToArray(), cancellation);
    }
}
