using Microsoft.Extensions.Options;
using NewarBots.Manager.Containers;

namespace NewarBots.Tests.Containers;

public sealed class LaunchingOptionsTests
{
    [Fact]
    public void What_is_set_by_default_is_valid()
    {
        Assert.Equal(ValidateOptionsResult.Success, Validate(new()));
    }

    [Fact]
    public void Every_mistake_is_told_at_once_by_the_key_to_change()
    {
        var result = Validate(new()
        {
            Image = " ",
            Network = "host",
            Stack = "a b",
            DockerHost = "ssh://somewhere",
            RecorderRedis = "",
            RecorderOtlpEndpoint = new Uri("collector", UriKind.Relative),
            MemoryMb = 1,
            Cpus = 0,
            PidsLimit = 1,
        });

        Assert.Equal(
            [
                "Launching:Image", "Launching:Network", "Launching:Stack", "Launching:DockerHost",
                "Launching:RecorderRedis", "Launching:RecorderOtlpEndpoint", "Launching:MemoryMb", "Launching:Cpus", "Launching:PidsLimit",
            ],
            result.Failures?.Select(failure => failure.Split(' ')[0]));
    }

    [Theory]
    [InlineData("host")]
    [InlineData("none")]
    [InlineData("container:manager")]
    [InlineData("")]
    public void No_bot_is_ever_on_the_hosts_network_or_in_another_containers(string network)
    {
        Assert.True(Validate(new() { Network = network }).Failed);
    }

    private static ValidateOptionsResult Validate(LaunchingOptions options) =>
        new LaunchingOptionsValidator().Validate(name: null, options);
}
