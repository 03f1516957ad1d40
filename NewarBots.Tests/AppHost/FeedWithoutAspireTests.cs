using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>Builds a solution with this repository's <c>Directory.Solution.targets</c> and AppHost from an empty feed.</summary>
public sealed partial class FeedWithoutAspireTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-feed-");

    public FeedWithoutAspireTests()
    {
        var feed = _folder.CreateSubdirectory("feed").FullName;
        Write("nuget.config", $"""<configuration><packageSources><clear /><add key="empty" value="{feed}" /></packageSources></configuration>""");
        Write("Solution.sln", Solution);
        Write("Other/Other.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""");
        foreach (var file in new[] { "Directory.Solution.targets", "NewarBots.AppHost/NewarBots.AppHost.csproj" })
            Write(file, File.ReadAllText(Repository.PathOf(file)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("", 0, "warning NEWAR001")]
    [InlineData("false", 0)]
    [InlineData("true", 1, "error NEWAR002")]
    public async Task The_build_skips_the_AppHost_with_one_warning_unless_it_is_required(string useAspire, int exitCode, params string[] codes)
    {
        var result = await Cli.Wrap("dotnet")
            .WithArguments(["build", "Solution.sln", "-nologo", "-nodeReuse:false"])
            .WithWorkingDirectory(_folder.FullName)
            .WithEnvironmentVariables(variables => variables
                .Set("UseAspire", useAspire is "" ? null : useAspire)
                .Set("NUGET_PACKAGES", Path.Combine(_folder.FullName, "packages")))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();

        Assert.True(result.ExitCode == exitCode, result.StandardOutput);
        Assert.Equal(codes, Codes.Matches(result.StandardOutput).Select(match => match.Value).Distinct());
        Assert.Equal(exitCode == 0, File.Exists(Path.Combine(_folder.FullName, "Other", "bin", "Debug", "net10.0", "Other.dll")));
    }

    private const string Solution = """
        Microsoft Visual Studio Solution File, Format Version 12.00
        Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "NewarBots.AppHost", "NewarBots.AppHost\NewarBots.AppHost.csproj", "{11111111-1111-1111-1111-111111111111}"
        EndProject
        Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "Other", "Other\Other.csproj", "{22222222-2222-2222-2222-222222222222}"
        EndProject
        Global
        	GlobalSection(SolutionConfigurationPlatforms) = preSolution
        		Debug|Any CPU = Debug|Any CPU
        	EndGlobalSection
        	GlobalSection(ProjectConfigurationPlatforms) = postSolution
        		{11111111-1111-1111-1111-111111111111}.Debug|Any CPU.ActiveCfg = Debug|Any CPU
        		{11111111-1111-1111-1111-111111111111}.Debug|Any CPU.Build.0 = Debug|Any CPU
        		{22222222-2222-2222-2222-222222222222}.Debug|Any CPU.ActiveCfg = Debug|Any CPU
        		{22222222-2222-2222-2222-222222222222}.Debug|Any CPU.Build.0 = Debug|Any CPU
        	EndGlobalSection
        EndGlobal
        """;

    private void Write(string name, string text)
    {
        var file = new FileInfo(Path.Combine(_folder.FullName, name));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }

    [GeneratedRegex("(warning|error) [A-Z]+[0-9]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Codes { get; }
}
