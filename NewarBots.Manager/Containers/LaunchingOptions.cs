using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;
using StackExchange.Redis;

namespace NewarBots.Manager.Containers;

/// <summary>Section <c>Launching</c>: what recorders are made of.</summary>
internal sealed class LaunchingOptions
{
    public const string Section = "Launching";

    public const string DefaultDockerHost = "unix:///var/run/docker.sock";

    /// <summary>The recorder's image. It is never pulled; see <c>dotnet build NewarBots.Recorder -t:RecorderImage</c>.</summary>
    public string Image { get; set; } = "newarbots/recorder:dev";

    /// <summary>
    /// The Docker network of the bots; made where it is missing, as a bridge whose containers cannot talk to each other.
    /// </summary>
    public string Network { get; set; } = "newarbots";

    /// <summary>
    /// The name of this installation on its engine: containers of another stack are never touched. Made from the storage
    /// folder's path on the host where it is not set, so that whoever shares the recordings shares the bots.
    /// </summary>
    public string? Stack { get; set; }

    /// <summary>
    /// The engine: <c>unix:///path</c> or <c>tcp://host:port</c>. The environment variable <c>DOCKER_HOST</c> where it is not set.
    /// </summary>
    public string DockerHost { get; set; } = DefaultDockerHost;

    /// <summary>
    /// Redis as seen from the bots, as <c>host:port</c>. Where it is not set, they get <c>ConnectionStrings:redis</c>, with this
    /// machine's own address instead of <c>localhost</c>.
    /// </summary>
    public string? RecorderRedis { get; set; }

    /// <summary>
    /// The OTLP endpoint as seen from the bots. Where it is not set, they get <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, with this
    /// machine's own address instead of <c>localhost</c>.
    /// </summary>
    public Uri? RecorderOtlpEndpoint { get; set; }

    /// <summary>
    /// Chromium's own sandbox. To be turned off only on hosts that forbid user namespaces: a page that breaks out of its
    /// renderer is then held by the container alone.
    /// </summary>
    public bool ChromiumSandbox { get; set; } = true;

    /// <summary>
    /// Bots open no browser and join no meeting: each records tones that it makes itself. For rehearsals of many bots at once,
    /// never for meetings.
    /// </summary>
    public bool GenerateAudio { get; set; }

    /// <summary>Memory of one bot, in MiB; there is no swap beyond it.</summary>
    public int MemoryMb { get; set; } = 2048;

    /// <summary>Processor time of one bot, in cores.</summary>
    public double Cpus { get; set; } = 1;

    /// <summary>Processes and threads of one bot.</summary>
    public int PidsLimit { get; set; } = 512;
}

/// <summary>Reports every mistake at once, each by the key to change.</summary>
internal sealed class LaunchingOptionsValidator : IValidateOptions<LaunchingOptions>
{
    public ValidateOptionsResult Validate(string? name, LaunchingOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(LaunchingOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.Image))
            yield return "Launching:Image must name the recorder's image.";
        if (!IsName(options.Network) || options.Network is "host" or "none" or "container")
            yield return $"Launching:Network must name a network of the bots, never the host's (it is '{options.Network}').";
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
        if (options.Cpus is not (> 0 and <= 1024))
            yield return $"Launching:Cpus must be more than 0 (it is {options.Cpus}).";
        if (options.PidsLimit < 64)
            yield return $"Launching:PidsLimit must be 64 or more: no browser starts with {options.PidsLimit} threads.";
    }

    private static bool IsName(string? text) =>
        text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
