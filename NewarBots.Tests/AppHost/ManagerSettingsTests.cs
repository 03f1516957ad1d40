using Microsoft.Extensions.Configuration;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class ManagerSettingsTests
{
    private const string Root = "/srv/newarbots";

    [Fact]
    public void Missing_settings_get_their_defaults()
    {
        Assert.Equal(new("/srv/newarbots/storage", "meet.google.com", "50", ""), Read());
    }

    [Fact]
    public void The_managers_settings_are_used()
    {
        var settings = Read(
            ("Storage:Path", "/data"), ("Meetings:AllowedHosts:0", "meet.google.com"), ("Meetings:AllowedHosts:1", "localhost:9000"),
            ("Launching:MaxConcurrentBots", "7"));

        Assert.Equal(new("/data", "meet.google.com,localhost:9000", "7", ""), settings);
    }

    [Fact]
    public void A_parameter_overrides_the_managers_setting()
    {
        Assert.Equal("8", Read(("Parameters:max-concurrent-bots", "8"), ("Launching:MaxConcurrentBots", "7")).MaxConcurrentBots);
    }

    [Fact]
    public void A_parameter_can_be_written_with_underscores_for_shells()
    {
        var settings = Read(("Parameters:max_concurrent_bots", "8"), ("Parameters:manager_key", "secret"));

        Assert.Equal(("8", "secret"), (settings.MaxConcurrentBots, settings.ManagerKey));
    }

    [Fact]
    public void A_storage_folder_is_created_if_it_is_missing()
    {
        var parent = Directory.CreateTempSubdirectory("newarbots-");
        try
        {
            var folder = Path.Combine(parent.FullName, "a", "b");

            Assert.Null(Read(("Storage:Path", folder)).FindStorageFault());
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            parent.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_storage_folder_that_cannot_be_written_to_is_reported_with_the_reason()
    {
        Assert.StartsWith(
            "Storage__Path must be a folder that this user can write to (it is '/proc/newarbots': ",
            Read(("Storage:Path", "/proc/newarbots")).FindStorageFault(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_invalid_settings_are_reported_together()
    {
        var wrong = Assert.Throws<InvalidSettingsException>(() => Read(
            ("Parameters:storage-path", " "), ("Parameters:allowed-meeting-hosts", "https://meet.google.com"),
            ("Launching:MaxConcurrentBots", "many")));

        Assert.Equal(
            "Parameters__storage-path must be the folder for the recordings (it is ' '). "
            + "Parameters__allowed-meeting-hosts must be a comma-separated list of hosts, each as host or host:port (it is 'https://meet.google.com'). "
            + "Launching__MaxConcurrentBots must be an integer, 1 or more (it is 'many').",
            wrong.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("meet.google.com/abc")]
    [InlineData("meet.google.com, user@host")]
    [InlineData("meet.google.com:seven")]
    [InlineData("meet.google.com:0")]
    public void Invalid_hosts_are_rejected(string hosts)
    {
        Assert.Throws<InvalidSettingsException>(() => Read(("Parameters:allowed-meeting-hosts", hosts)));
    }

    [Fact]
    public void A_file_is_rejected_as_storage_folder()
    {
        Assert.Throws<InvalidSettingsException>(() => Read(("Parameters:storage-path", typeof(ManagerSettingsTests).Assembly.Location)));
    }

    private static ManagerSettings Read(params (string Key, string Value)[] settings) => ManagerSettings.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build(),
        Root);
}
