using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>Section <c>Recorders:Kubernetes</c>: the cluster, and the part of a recorder's pod that depends on it.</summary>
internal sealed class KubernetesOptions
{
    public const string Section = "Recorders:Kubernetes";

    /// <summary>A kubeconfig file. By default the pod's service account, or outside a cluster <c>KUBECONFIG</c>.</summary>
    public string? KubeConfig { get; set; }

    /// <summary>The namespace of the recorders. By default the manager's own.</summary>
    public string? Namespace { get; set; }

    /// <summary>The ReadWriteMany claim that the manager has mounted at <c>Storage:Path</c>.</summary>
    public string Claim { get; set; } = "newarbots-storage";

    /// <summary>The folder of the claim that the manager has mounted at <c>Storage:Path</c>; empty for the whole claim.</summary>
    public string ClaimFolder { get; set; } = string.Empty;

    /// <summary>
    /// <c>RuntimeDefault</c>, or <c>Localhost/file</c> for a profile in the seccomp folder of each node. Chromium's sandbox needs user namespaces,
    /// which <c>RuntimeDefault</c> denies.
    /// </summary>
    public string SeccompProfile { get; set; } = "Localhost/newarbots.json";

    /// <summary><c>Always</c>, <c>IfNotPresent</c> or <c>Never</c>.</summary>
    public string ImagePullPolicy { get; set; } = "IfNotPresent";

    /// <summary>Names of secrets in the recorders' namespace.</summary>
    public IList<string> ImagePullSecrets { get; } = [];

    /// <summary>CPU that the scheduler reserves for one bot, in cores. By default half of <c>Launching:Cpus</c>.</summary>
    public double? RequestCpus { get; set; }

    /// <summary>
    /// Memory that the scheduler reserves for one bot, in MiB. By default <c>Launching:MemoryMb</c>: a pod that uses more than its request is the
    /// first to be evicted.
    /// </summary>
    public int? RequestMemoryMb { get; set; }

    public IDictionary<string, string> NodeSelector { get; } = new Dictionary<string, string>();

    /// <summary>Added to the unlimited tolerations for nodes that are not ready or unreachable.</summary>
    public IList<TolerationOptions> Tolerations { get; } = [];

    public string? PriorityClass { get; set; }

    public string? RuntimeClass { get; set; }
}

/// <summary>A toleration of the recorders' pods, with the fields of Kubernetes.</summary>
internal sealed class TolerationOptions
{
    public string? Key { get; set; }

    /// <summary><c>Exists</c> or <c>Equal</c>.</summary>
    public string Operator { get; set; } = "Equal";

    public string? Value { get; set; }

    /// <summary><c>NoSchedule</c>, <c>PreferNoSchedule</c> or <c>NoExecute</c>; all of them by default.</summary>
    public string? Effect { get; set; }
}

/// <summary>Reports all invalid settings at once, each with its key.</summary>
internal sealed partial class KubernetesOptionsValidator(IOptions<LaunchingOptions> launching, IConfiguration configuration) : IValidateOptions<KubernetesOptions>
{
    public ValidateOptionsResult Validate(string? name, KubernetesOptions options)
    {
        var faults = Faults(options).Concat(LoopbackAddresses()).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> Faults(KubernetesOptions options)
    {
        const string Section = KubernetesOptions.Section;
        if (options.Namespace is { } ns && !IsName(ns))
            yield return $"{Section}:Namespace must be the name of a namespace (it is '{ns}').";
        if (!IsName(options.Claim))
            yield return $"{Section}:Claim must name the claim that is mounted at Storage:Path, with at most 63 characters (it is '{options.Claim}').";
        if (options.ClaimFolder.StartsWith('/') || options.ClaimFolder.Split('/').Contains(".."))
            yield return $"{Section}:ClaimFolder must be a path within the claim, without '..' (it is '{options.ClaimFolder}').";
        if (launching.Value.Stack is { } stack && !LabelValue().IsMatch(stack))
            yield return $"Launching:Stack becomes a label: it must start and end with a letter or digit, and have at most 63 characters (it is '{stack}').";

        if (options.SeccompProfile is not SeccompOfRuntime && !SeccompFile().IsMatch(options.SeccompProfile))
            yield return $"{Section}:SeccompProfile must be RuntimeDefault or Localhost/file (it is '{options.SeccompProfile}').";
        if (options.SeccompProfile is SeccompOfRuntime && launching.Value.ChromiumSandbox)
            yield return $"{Section}:SeccompProfile RuntimeDefault denies the user namespaces that Chromium's sandbox needs. "
                + "Use Localhost/newarbots.json, or set Launching:ChromiumSandbox to false.";
        if (options.ImagePullPolicy is not ("Always" or "IfNotPresent" or "Never"))
            yield return $"{Section}:ImagePullPolicy must be Always, IfNotPresent or Never (it is '{options.ImagePullPolicy}').";
        if (options.RequestCpus is { } cpus && !(cpus > 0 && cpus <= launching.Value.Cpus))
            yield return $"{Section}:RequestCpus must be more than 0 and at most Launching:Cpus (it is {cpus}).";
        if (options.RequestMemoryMb is { } memory && (memory < 1 || memory > launching.Value.MemoryMb))
            yield return $"{Section}:RequestMemoryMb must be from 1 to Launching:MemoryMb (it is {memory}).";
        foreach (var (toleration, index) in options.Tolerations.Select((toleration, index) => (toleration, index)))
        {
            if (toleration.Operator is not ("Exists" or "Equal") || toleration.Effect is not (null or "NoSchedule" or "PreferNoSchedule" or "NoExecute"))
                yield return $"{Section}:Tolerations:{index} must have the operator Exists or Equal, and a known effect.";
        }
    }

    /// <summary>A pod's loopback is its own. On one host a relay forwards such addresses; a cluster has none.</summary>
    private IEnumerable<string> LoopbackAddresses()
    {
        var redis = launching.Value.RecorderRedis is { } fromBots
            ? StackExchange.Redis.EndPointCollection.TryParse(fromBots) is { } parsed ? [parsed] : []
            : RedisSettings.ReadOptions(configuration, "redis").EndPoints.ToArray();
        foreach (var endpoint in redis.Where(RedisSettings.IsLoopback))
            yield return $"Bots in pods cannot reach Redis at {RedisNameOf(endpoint)}. Set ConnectionStrings:redis or Launching:RecorderRedis to the address of its service.";

        var otlp = launching.Value.RecorderOtlpEndpoint
            ?? (Uri.TryCreate(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"], UriKind.Absolute, out var own) ? own : null);
        if (otlp is { IsAbsoluteUri: true, IsLoopback: true })
            yield return $"Bots in pods cannot reach OTLP at {otlp.Authority}. Set OTEL_EXPORTER_OTLP_ENDPOINT or Launching:RecorderOtlpEndpoint to the address of its service.";
    }

    internal const string SeccompOfRuntime = "RuntimeDefault";

    private static string RedisNameOf(EndPoint endpoint) => endpoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : $"{endpoint}";

    private static bool IsName(string text) => Name().IsMatch(text);

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();

    [GeneratedRegex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelValue();

    [GeneratedRegex(@"^Localhost/(?!.*\.\.)[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SeccompFile();
}
