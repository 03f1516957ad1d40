using System.Xml.Linq;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Deployment;

/// <summary>The settings that <c>deploy/up</c> writes. It runs in a folder without sources, so it ends when it builds the first image.</summary>
public sealed class DashboardImageTests : IDisposable
{
    private const string Setting = "NEWARBOTS_DASHBOARD_IMAGE=";
    private const string Official = "mcr.microsoft.com/dotnet/aspire-dashboard";

    private readonly ScriptCopy _scripts = new("deploy/up", "Directory.Packages.props");

    public void Dispose() => _scripts.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData($"{Official}:9.5")]
    [InlineData($"{Official}:13.5.4")]
    public async Task The_official_image_becomes_that_of_Aspires_version(string? before)
    {
        var version = Version.Parse(XDocument.Load(Repository.PathOf("Directory.Packages.props")).Descendants("AspireVersion").Single().Value);

        Assert.Equal($"{Official}:{version.ToString(fieldCount: 2)}", await ImageAfterUpAsync(before));
    }

    [Theory]
    [InlineData($"{Official}:13.5-mine")]
    [InlineData("registry.example/aspire-dashboard:9.5")]
    public async Task Another_image_stays(string image) => Assert.Equal(image, await ImageAfterUpAsync(image));

    private async Task<string> ImageAfterUpAsync(string? before)
    {
        var settings = _scripts.PathOf("deploy/.env");
        if (before is not null)
            await File.WriteAllTextAsync(settings, $"{Setting}{before}\n", TestContext.Current.CancellationToken);

        var up = await Cli.Wrap(_scripts.PathOf("deploy/up"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);

        Assert.Contains("Building the recorder image failed", up.StandardError, StringComparison.Ordinal);
        return Assert.Single(
            await File.ReadAllLinesAsync(settings, TestContext.Current.CancellationToken),
            line => line.StartsWith(Setting, StringComparison.Ordinal))[Setting.Length..];
    }
}
