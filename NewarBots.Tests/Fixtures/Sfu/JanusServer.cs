using CliWrap;
using CliWrap.Buffered;
using NewarBots.Contract;

namespace NewarBots.Tests.Fixtures.Sfu;

/// <summary>Debian's Janus, a media server (SFU), in a container, with one room of its VideoRoom plugin: Opus with FEC, and speech events.</summary>
internal sealed class JanusServer : IAsyncDisposable
{
    private const string Image = "newarbots-tests/janus:dev";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly string _name = $"newarbots-tests-janus-{SessionId.New(TimeProvider.System)}";

    /// <summary>The address of its HTTP API.</summary>
    public Uri Api { get; private set; } = null!;

    /// <returns>A running server, or <see langword="null"/> and the reason if it cannot be installed here.</returns>
    public static async Task<(JanusServer? Server, string? Missing)> StartAsync()
    {
        if (await BuildImageAsync() is { } failure)
            return (null, failure);
        var janus = new JanusServer();
        await DockerCli.RunAsync("run", "--detach", "--rm", "--init", "--name", janus._name, Image);
        var address = await DockerCli.RunAsync("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", janus._name);
        janus.Api = new($"http://{address}:8088/janus");
        using var client = new HttpClient();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    return (await client.GetAsync(new Uri($"{janus.Api}/info"))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            Timeout);
        return (janus, null);
    }

    public async ValueTask DisposeAsync() => await DockerCli.RunAsync("rm", "--force", _name);

    private static async Task<string?> BuildImageAsync()
    {
        const string dockerfile = """
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install --yes --no-install-recommends janus && rm -rf /var/lib/apt/lists/*
            RUN printf '%s\n' 'general: {}' 'room-1234: { publishers = 10; audiocodec = "opus"; opus_fec = true; opus_dtx = true;' \
                'audiolevel_ext = true; audiolevel_event = true; audio_active_packets = 10; audio_level_average = 60 }' \
                > /etc/janus/janus.plugin.videoroom.jcfg
            CMD ["janus", "--rtp-port-range", "20000-20400"]
            """;
        var built = await Cli.Wrap("docker").WithArguments(["build", "--tag", Image, "-"])
            .WithStandardInputPipe(PipeSource.FromString(dockerfile))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();
        return built.IsSuccess ? null : $"Janus cannot be installed on this machine: {built.StandardError.Trim().Split('\n')[^1]}";
    }
}
