using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;

namespace NewarBots.Tests.Access;

public sealed class KeysCommandTests : IDisposable
{
    private readonly string _storage = Directory.CreateTempSubdirectory("newarbots-keys-").FullName;

    private KeyFile File => new(new StorageLayout(_storage), TimeProvider.System, NullLogger<KeyFile>.Instance);

    public void Dispose() => Directory.Delete(_storage, recursive: true);

    [Fact]
    public async Task A_key_is_created_listed_and_revoked()
    {
        var (added, secret, message) = await RunAsync("add", "Anna's laptop", "--user", "anna", "--role", "admin");
        Assert.Equal(0, added);
        Assert.True(Credential.TryParse(secret.Trim(), out var key));
        Assert.Contains(File.Path, message, StringComparison.Ordinal);
        var caller = Assert.IsType<AccessState.Keyed>(File.State).Find(key)!;
        Assert.Equal(("Anna's laptop", UserId.Parse("anna"), AccessRole.Admin), (caller.Key!.Name, caller.UserId, caller.Role));

        var (listed, list, _) = await RunAsync("list");
        Assert.Equal(0, listed);
        Assert.Contains($"{key.Id}  admin  anna ", list, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.Trim()[^64..], list, StringComparison.Ordinal);

        var (revoked, _, warning) = await RunAsync("revoke", key.Id);
        Assert.Equal(0, revoked);
        Assert.Contains("It was the last key", warning, StringComparison.Ordinal);
        Assert.Null(Assert.IsType<AccessState.Keyed>(File.State).Find(key));
    }

    [Fact]
    public async Task Without_options_the_key_has_the_default_user_and_the_role_user()
    {
        await RunAsync("add", "scripts");

        var key = Assert.Single(Assert.IsType<AccessState.Keyed>(File.State).List.Keys);
        Assert.Equal((UserId.Default, AccessRole.User), (key.UserId, key.Role));
    }

    [Theory]
    [InlineData("", "keys add NAME")]
    [InlineData("remove 1", "'keys remove 1' is not a command")]
    [InlineData("add", "The key's name must have")]
    [InlineData("add a b", "Unexpected argument 'b'")]
    [InlineData("add a --user No!", "--user must be")]
    [InlineData("add a --user", "--user must be")]
    [InlineData("add a --role owner", "--role must be user or admin")]
    [InlineData("add a --force", "--force is not an option")]
    [InlineData("revoke", "'keys revoke' is not a command")]
    public async Task Invalid_arguments_are_named_with_the_usage_and_create_nothing(string line, string expected)
    {
        var (code, output, error) = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((2, string.Empty), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Contains("keys revoke ID", error, StringComparison.Ordinal);
        Assert.IsType<AccessState.Anonymous>(File.State);
    }

    [Fact]
    public async Task Revoking_an_unknown_key_fails()
    {
        var (code, _, error) = await RunAsync("revoke", "1f0c3b5a7d92");

        Assert.Equal(1, code);
        Assert.Contains("has no key 1f0c3b5a7d92", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_is_reported_and_not_changed()
    {
        await RunAsync("add", "scripts");
        await System.IO.File.WriteAllTextAsync(File.Path, "{");

        foreach (var line in (string[][])[["add", "more"], ["list"], ["revoke", "1f0c3b5a7d92"]])
        {
            var (code, _, error) = await RunAsync(line);
            Assert.Equal(1, code);
            Assert.Contains($"{File.Path} is damaged", error, StringComparison.Ordinal);
        }
        Assert.Equal("{", await System.IO.File.ReadAllTextAsync(File.Path));
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await new KeysCommand(File, TimeProvider.System, output, error).RunAsync(arguments);
        return (code, $"{output}", $"{error}");
    }
}
