using Microsoft.Extensions.Configuration;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class ManagerSettingsTests
{
    private const string Root = "/srv/newarbots";

    [Fact]
    public void What_nobody_sets_has_its_default()
    {
        Assert.Equal(new("/srv/newarbots/storage", "meet.google.com", "50"), Read());
    }

    [Fact]
    public void The_managers_own_settings_count_as_well()
    {
        var settings = Read(
            ("Storage:Path", "/data"), ("Meetings:AllowedHosts:0", "meet.google.com"), ("Meetings:AllowedHosts:1", "localhost:9000"),
            ("Launching:MaxConcurrentBots", "7"));

        Assert.Equal(new("/data", "meet.google.com,localhost:9000", "7"), settings);
    }

    [Fact]
    public void A_parameter_goes_before_the_managers_setting()
    {
        Assert.Equal("8", Read(("Parameters:max-concurrent-bots", "8"), ("Launching:MaxConcurrentBots", "7")).MaxConcurrentBots);
    }

    [Fact]
    public void Every_wrong_parameter_is_named_at_once()
    {
        var wrong = Assert.Throws<InvalidParametersException>(() => Read(
            ("Parameters:storage-path", " "), ("Parameters:allowed-meeting-hosts", "https://meet.google.com"),
            ("Launching:MaxConcurrentBots", "many")));

        Assert.Equal(
            "Parameters:storage-path must name the folder for the recordings (it is ' '). "
            + "Parameters:allowed-meeting-hosts must be hosts with commas between, each as host or host:port (it is 'https://meet.google.com'). "
            + "Launching:MaxConcurrentBots must be a whole number, 1 or more (it is 'many').",
            wrong.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("meet.google.com/abc")]
    [InlineData("meet.google.com, user@host")]
    [InlineData("meet.google.com:seven")]
    [InlineData("meet.google.com:0")]
    public void What_is_no_host_is_no_allowed_host(string hosts)
    {
        Assert.Throws<InvalidParametersException>(() => Read(("Parameters:allowed-meeting-hosts", hosts)));
    }

    [Fact]
    public void A_file_is_no_storage_folder()
    {
        Assert.Throws<InvalidParametersException>(() => Read(("Parameters:storage-path", typeof(ManagerSettingsTests).Assembly.Location)));
    }

    private static ManagerSettings Read(params (string Key, string Value)[] settings) => ManagerSettings.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build(),
        Root);
}
