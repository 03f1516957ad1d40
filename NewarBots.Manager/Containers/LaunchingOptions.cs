using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace NewarBots.Manager.Containers;

/// <summary>Section <c>Launching</c>: the engine and the recorders' containers.</summary>
internal sealed class LaunchingOptions
{
    public const string Section = "Launching";

    public const string DefaultDockerHost = "unix:///var/run/docker.sock";

    /// <summary>The recorder image. It is never pulled: <c>eng/image recorder</c> builds it.</summary>
    public string Image { get; set; } = "newarbots/recorder:dev";

    /// <summary>
    /// The bots' Docker network. If it does not exist, the manager creates it as a bridge whose containers cannot reach each other.
    /// </summary>
    public string Network { get; set; } = "newarbots";

    /// <summary>
    /// The name of this installation on its engine. Containers of other stacks are never touched. By default it is derived from the storage
    /// folder's path on the host, so that managers that share recordings share bots.
    /// </summary>
    public string? Stack { get; set; }

    /// <summary>
    /// The engine: <c>unix:///path</c> or <c>tcp://host:port</c>. By default the environment variable <c>DOCKER_HOST</c>.
    /// </summary>
    public string DockerHost { get; set; } = DefaultDockerHost;

    /// <summary>
    /// Redis as seen from the bots, as <c>host:port</c>. By default <c>ConnectionStrings:redis</c>, with this machine's address instead of
    /// <c>localhost</c>.
    /// </summary>
    public string? RecorderRedis { get; set; }

    /// <summary>
    /// The OTLP endpoint as seen from the bots. By default <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, with this machine's address instead of
    /// <c>localhost</c>.
    /// </summary>
    public Uri? RecorderOtlpEndpoint { get; set; }

    /// <summary>
    /// Chromium's own sandbox. Turn it off only on hosts that forbid user namespaces. Then only the container isolates a page that breaks
    /// out of its renderer.
    /// </summary>
    public bool ChromiumSandbox { get; set; } = true;

    /// <summary>
    /// Bots open no browser and join no meeting, and record generated tones instead. For load tests with many bots, never for meetings.
    /// </summary>
    public bool GenerateAudio { get; set; }

    /// <summary>Memory limit of one bot, in MiB, without swap.</summary>
    public int MemoryMb { get; set; } = 2048;

    /// <summary>CPU limit of one bot, in cores.</summary>
    public double Cpus { get; set; } = 1;

    /// <summary>Limit of processes and threads of one bot.</summary>
    public int PidsLimit { get; set; } = 512;

    /// <summary>
    /// If the manager is root: the user ids that bots get, one for each bot with a session folder, as <c>first-last</c>. No other program of this machine may use them. The default is between
    /// the ids that systemd assigns and those that are reserved for containers.
    /// </summary>
    public string RecorderUserIds { get; set; } = "70000-89999";
}

/// <summary>Reports all invalid settings at once, each with its key.</summary>
internal sealed class LaunchingOptionsValidator : IValidateOptions<LaunchingOptions>
{
    public ValidateOptionsResult Validate(string? name, LaunchingOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private const int MaxCpus = 1024;

    /// <summary>Smaller ids belong to people and services.</summary>
    private const int MinUserId = 1000;

    private const int MinUserIds = 1000;

    private static IEnumerable<string> Faults(LaunchingOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.Image))
            yield return "Launching:Image must name the recorder image.";
        if (!IsName(options.Network) || options.Network is "host" or "none" or "container")
            yield return $"Launching:Network must name a network for the bots, never the host's (it is '{options.Network}').";
        if (options.Stack is { } stack && !IsName(stack))
            yield return $"Launching:Stack must be 1 to 64 of letters, digits, '-', '_' and '.' (it is '{stack}').";
        if (!Uri.TryCreate(options.DockerHost, UriKind.Absolute, out var docker) || docker.Scheme is not ("unix" or "tcp"))
            yield return $"Launching:DockerHost or DOCKER_HOST must be unix:///path or tcp://host:port (it is '{options.DockerHost}').";
        if (options.RecorderRedis is { } redis && EndPointCollection.TryParse(redis) is null)
            yield return $"Launching:RecorderRedis must be host:port as seen from the bots (it is '{redis}').";
        if (options.RecorderOtlpEndpoint is { } otlp && !(otlp.IsAbsoluteUri && otlp.Scheme is "http" or "https"))
            yield return $"Launching:RecorderOtlpEndpoint must be an http(s) address as seen from the bots (it is '{otlp}').";
        if (options.MemoryMb < 256)
            yield return $"Launching:MemoryMb must be 256 or more: a browser does not start in {options.MemoryMb} MiB.";
        if (options.Cpus is not (> 0 and <= MaxCpus))
            yield return $"Launching:Cpus must be more than 0 and at most {MaxCpus} (it is {options.Cpus}).";
        if (options.PidsLimit < 64)
            yield return $"Launching:PidsLimit must be 64 or more: no browser starts with {options.PidsLimit} threads.";
        if (UserIdRange.TryParse(options.RecorderUserIds) is not { First: >= MinUserId, Last: <= int.MaxValue, Count: >= MinUserIds } users
            || users.Overlaps(UserIdRange.OfProcesses))
        {
            yield return $"Launching:RecorderUserIds must be first-last, at least {MinUserIds} user ids from {MinUserId} on, without "
                + $"{UserIdRange.OfProcesses.First} to {UserIdRange.OfProcesses.Last} (it is '{options.RecorderUserIds}').";
        }
    }

    private static bool IsName(string? text) =>
        text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
