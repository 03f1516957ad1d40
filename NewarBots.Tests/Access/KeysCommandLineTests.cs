using System.Reflection;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Access;

/// <summary>Runs the key commands of <c>docs/access.md</c> in a copy of the repository, with the manager of this build.</summary>
public sealed partial class KeysCommandLineTests : IDisposable
{
    private readonly string _clone = Directory.CreateTempSubdirectory("newarbots-clone-").FullName;

    public KeysCommandLineTests()
    {
        foreach (var file in (string[])["run", "global.json", "Directory.Packages.props", .. Directory.EnumerateFiles(Repository.PathOf("eng"))])
        {
            var copy = Path.Combine(_clone, Path.GetRelativePath(Repository.Root, Repository.PathOf(file)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Repository.PathOf(file), copy);
        }
        var bin = Directory.CreateDirectory(Path.Combine(_clone, "NewarBots.Manager", "bin")).FullName;
        var configuration = typeof(KeysCommandLineTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        Directory.CreateSymbolicLink(Path.Combine(bin, "Release"), Repository.PathOf("NewarBots.Manager", "bin", configuration));
    }

    public void Dispose() => Directory.Delete(_clone, recursive: true);

    [Fact]
    public async Task The_documented_commands_change_the_keys_in_the_default_storage()
    {
        var storage = Path.Combine(_clone, "storage");

        var secret = await RunAsync(Documented("add"));
        Assert.True(Credential.TryParse(secret.Trim(), out var key));
        Assert.Contains(key.Id, await File.ReadAllTextAsync(KeyFileOf(storage), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains(key.Id, await RunAsync(Documented("list")), StringComparison.Ordinal);

        await RunAsync(Documented("revoke").Replace("1f0c3b5a7d92", key.Id, StringComparison.Ordinal));
        Assert.DoesNotContain(key.Id, await File.ReadAllTextAsync(KeyFileOf(storage), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_documented_command_uses_the_storage_of_the_running_manager()
    {
        var storage = Path.Combine(_clone, "elsewhere");
        var state = Directory.CreateDirectory(Path.Combine(_clone, ".state")).FullName;
        await File.WriteAllTextAsync(Path.Combine(state, "storage"), $"{storage}\n", TestContext.Current.CancellationToken);
        // The lock that `./run` holds.
        await using var running = new FileStream(Path.Combine(state, "run.lock"), FileMode.Create, FileAccess.Write, FileShare.None);

        var secret = await RunAsync(Documented("add"));

        Assert.True(Credential.TryParse(secret.Trim(), out var key));
        Assert.Contains(key.Id, await File.ReadAllTextAsync(KeyFileOf(storage), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_clone, "storage")));
    }

    private async Task<string> RunAsync(string command)
    {
        var result = await Cli.Wrap("bash")
            .WithArguments(["-c", command])
            .WithWorkingDirectory(_clone)
            .WithEnvironmentVariables(variables => variables.Set("Storage__Path", null))
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        return result.StandardOutput;
    }

    private static string KeyFileOf(string storage) =>
        new KeyFile(new StorageLayout(storage), TimeProvider.System, NullLogger<KeyFile>.Instance).Path;

    private static string Documented(string verb) =>
        CommandLine.Matches(File.ReadAllText(Repository.PathOf("docs", "access.md"))).Select(match => match.Value)
            .Single(line => line.StartsWith($"./run keys {verb}", StringComparison.Ordinal));

    [GeneratedRegex("^\\./run keys .*$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CommandLine { get; }
}
