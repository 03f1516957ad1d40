using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Deployment;

/// <summary>The speech server beside the deployment, as Docker Compose understands it.</summary>
public sealed class TranscriberComposeTests
{
    [Fact]
    public async Task Service_for_processors_reserves_no_device_and_the_other_one_all_GPUs()
    {
        var config = await ConfigAsync();
        var (cpu, gpu) = (config.IndexOf("transcriber-cpu:", StringComparison.Ordinal), config.IndexOf("transcriber-gpu:", StringComparison.Ordinal));

        Assert.True(cpu >= 0 && gpu > cpu, config);
        Assert.DoesNotContain("devices:", config[cpu..gpu], StringComparison.Ordinal);
        Assert.Matches(@"reservations:\s+devices:\s+- capabilities:\s+- gpu\s+(count: (all|-1)\s+driver: nvidia|driver: nvidia\s+count: (all|-1))", config[gpu..]);
        foreach (var service in (string[])[config[cpu..gpu], config[gpu..]])
        {
            // Only this machine can reach it.
            Assert.Matches(@"127\.0\.0\.1:8000:8000|host_ip: 127\.0\.0\.1", service);
            Assert.Matches("image: ghcr.io/.+", service);
        }
    }

    [Fact]
    public async Task Image_is_a_setting() => Assert.Contains("image: speech:own", await ConfigAsync("speech:own"), StringComparison.Ordinal);

    private static async Task<string> ConfigAsync(string image = "")
    {
        var isPlugin = (await Cli.Wrap("docker").WithArguments(["compose", "version"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).IsSuccess;
        var config = await Cli.Wrap(isPlugin ? "docker" : "docker-compose")
            .WithArguments([.. isPlugin ? ["compose"] : Array.Empty<string>(), "--file", Repository.PathOf("deploy", "transcriber.yaml"), "--profile", "cpu", "--profile", "gpu", "config"])
            .WithEnvironmentVariables(variables => variables.Set("NEWARBOTS_TRANSCRIBER_IMAGE", image))
            .ExecuteBufferedAsync();
        return config.StandardOutput;
    }
}
