using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Tests.Containers.Kubernetes;

public sealed class KubernetesOptionsTests
{
    [Fact]
    public void The_defaults_are_valid_with_addresses_that_a_pod_can_reach()
    {
        Assert.Equal(ValidateOptionsResult.Success, Validate(new(), new()));
    }

    [Fact]
    public void All_invalid_settings_are_reported_at_once_each_with_its_key()
    {
        var result = Validate(
            new()
            {
                Namespace = "A",
                Claim = "a/b",
                ClaimFolder = "../x",
                SeccompProfile = "Localhost/../x",
                ImagePullPolicy = "Sometimes",
                RequestCpus = 2,
                RequestMemoryMb = 4096,
                Tolerations = { new() { Operator = "In" } },
            },
            new() { Stack = "-a" });

        Assert.Equal(
            [
                "Recorders:Kubernetes:Namespace", "Recorders:Kubernetes:Claim", "Recorders:Kubernetes:ClaimFolder", "Launching:Stack",
                "Recorders:Kubernetes:SeccompProfile", "Recorders:Kubernetes:ImagePullPolicy", "Recorders:Kubernetes:RequestCpus",
                "Recorders:Kubernetes:RequestMemoryMb", "Recorders:Kubernetes:Tolerations:0",
            ],
            result.Failures?.Select(failure => failure.Split(' ')[0]));
    }

    [Fact]
    public void The_default_seccomp_profile_of_runtimes_needs_a_browser_without_sandbox()
    {
        var options = new KubernetesOptions { SeccompProfile = "RuntimeDefault" };

        Assert.Contains("Launching:ChromiumSandbox", Validate(options, new()).FailureMessage, StringComparison.Ordinal);
        Assert.True(Validate(options, new() { ChromiumSandbox = false }).Succeeded);
    }

    [Fact]
    public void Addresses_on_the_loopback_are_refused()
    {
        var result = Validate(new(), new(), redis: "localhost:6379", otlp: "http://127.0.0.1:4317");

        Assert.Equal(
            [
                "Bots in pods cannot reach Redis at localhost:6379. Set ConnectionStrings:redis or Launching:RecorderRedis to the address of its service.",
                "Bots in pods cannot reach OTLP at 127.0.0.1:4317. Set OTEL_EXPORTER_OTLP_ENDPOINT or Launching:RecorderOtlpEndpoint to the address of its service.",
            ],
            result.Failures);
    }

    [Fact]
    public void A_manager_outside_the_cluster_may_use_the_loopback_if_bots_have_addresses_of_their_own()
    {
        var launching = new LaunchingOptions { RecorderRedis = "redis.example:6379", RecorderOtlpEndpoint = new("http://otlp.example:4317") };

        Assert.True(Validate(new(), launching, redis: "localhost:6379", otlp: "http://localhost:4317").Succeeded);
        Assert.True(Validate(new(), new() { RecorderRedis = "127.0.0.1:6379" }).Failed);
    }

    private static ValidateOptionsResult Validate(
        KubernetesOptions options, LaunchingOptions launching, string redis = "redis:6379,password=secret", string? otlp = null) =>
        new KubernetesOptionsValidator(
            Options.Create(launching),
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:redis"] = redis,
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp,
            }).Build()).Validate(name: null, options);
}
