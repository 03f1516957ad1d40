using Microsoft.Extensions.Options;
using NewarBots.Manager.Launching;

namespace NewarBots.Tests.Launching;

public sealed class JoiningOptionsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-joining-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_defaults_are_valid() => Assert.Equal(ValidateOptionsResult.Success, Validate(new()));

    [Fact]
    public void An_empty_setting_counts_as_not_set() =>
        Assert.Equal(ValidateOptionsResult.Success, Validate(new() { SelectorPack = string.Empty, StorageState = string.Empty }));

    [Fact]
    public void All_errors_are_reported_at_once_with_key_file_and_position()
    {
        var pack = Write("pack.json", "{\n  \"name\": \"x\", \"version\": \"1\",\n  \"entries\": []\n}");
        var state = Path.Combine(_folder.FullName, "missing.json");

        var failures = Validate(new() { SelectorPack = pack, StorageState = state, Browser = "lynx" }).Failures!.ToList();

        Assert.Equal(3, failures.Count);
        Assert.StartsWith($"Joining:SelectorPack: {pack}: The selector pack cannot be used: line 3, $.entries: ", failures[0], StringComparison.Ordinal);
        Assert.StartsWith($"Joining:StorageState: {state}: ", failures[1], StringComparison.Ordinal);
        Assert.Equal("Joining:Browser must be headed or headless_shell (it is 'lynx').", failures[2]);
    }

    [Fact]
    public void A_bot_gets_the_text_that_was_validated()
    {
        const string State = """{"cookies":[{"name":"a","value":"b","domain":"meet.google.com"}],"origins":[]}""";

        var file = Assert.Single(JoiningFile.AllOf(new() { StorageState = Write("state.json", State) }));

        Assert.Equal(("storage-state.json", State), (file.NameInSession, file.Read()));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static ValidateOptionsResult Validate(JoiningOptions options) => new JoiningOptionsValidator().Validate(name: null, options);
}
