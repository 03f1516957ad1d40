using Microsoft.Extensions.Options;
using NewarBots.Manager.Containers;

namespace NewarBots.Tests.Containers;

public sealed class LaunchingOptionsTests
{
    [Fact]
    public void The_defaults_are_valid()
    {
        Assert.Equal(ValidateOptionsResult.Success, Validate(new()));
    }

    [Fact]
    public void All_invalid_settings_are_reported_at_once_each_with_its_key()
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
            RecorderUserIds = "70000",
        });

        Assert.Equal(
            [
                "Launching:Image", "Launching:Network", "Launching:Stack", "Launching:DockerHost",
                "Launching:RecorderRedis", "Launching:RecorderOtlpEndpoint", "Launching:MemoryMb", "Launching:Cpus", "Launching:PidsLimit",
                "Launching:RecorderUserIds",
            ],
            result.Failures?.Select(failure => failure.Split(' ')[0]));
    }

    [Theory]
    [InlineData("host")]
    [InlineData("none")]
    [InlineData("container:manager")]
    [InlineData("")]
    public void Bots_cannot_use_the_network_of_the_host_or_of_another_container(string network)
    {
        Assert.True(Validate(new() { Network = network }).Failed);
    }

    [Theory]
    [InlineData(0d)]
    [InlineData(2000d)]
    [InlineData(double.NaN)]
    public void The_message_about_CPUs_names_both_limits(double cpus)
    {
        Assert.StartsWith("Launching:Cpus must be more than 0 and at most 1024 (it is ", Validate(new() { Cpus = cpus }).FailureMessage, StringComparison.Ordinal);
    }

    private static ValidateOptionsResult Validate(LaunchingOptions options) =>
        new LaunchingOptionsValidator().Validate(name: null, options);
}
