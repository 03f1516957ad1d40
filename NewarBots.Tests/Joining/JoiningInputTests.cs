using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class JoiningInputTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-input-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Defaults_to_a_guest_with_the_embedded_selectors() =>
        Assert.Equal(new JoiningInput(SelectorPack.Embedded, Account: null), JoiningInput.Take(Environment()));

    [Fact]
    public void Reading_deletes_the_account_file_and_keeps_the_selector_file()
    {
        var pack = Write(EmbeddedFile.ReadText("Joining.selectors.json").Replace("google-meet", "other", StringComparison.Ordinal));
        var state = Write("""{"cookies":[{"name":"a","value":"b","domain":"meet.google.com"}]}""");

        var input = JoiningInput.Take(Environment() with { SelectorPack = pack, StorageState = state });

        Assert.Equal(("other", "a of meet.google.com"), (input.Selectors.Name, $"{Assert.Single(input.Account!.Cookies)}"));
        Assert.True(File.Exists(pack));
        Assert.False(File.Exists(state));
    }

    [Theory]
    [InlineData("{", "{}", "STORAGE_STATE: The storage state cannot be used: line 1, $")]
    [InlineData("""{"cookies":[{"name":"a","value":"b","domain":"c"}]}""", "{}", "SELECTOR_PACK: The selector pack cannot be used: line 1, $")]
    public void An_invalid_file_is_reported_with_its_variable_and_position_and_the_account_file_is_deleted(string state, string pack, string fault)
    {
        var path = Write(state);

        var refused = Assert.Throws<InvalidRecorderEnvironmentException>(
            () => JoiningInput.Take(Environment() with { SelectorPack = Write(pack), StorageState = path }));

        Assert.StartsWith(fault, Assert.Single(refused.Faults), StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }

    private static RecorderEnvironment Environment() => new()
    {
        SessionId = SessionId.New(TimeProvider.System),
        UserId = UserId.Default,
        MeetingUrl = new Uri("https://meet.google.com/abc-defg-hij"),
        BotName = "Notes",
    };
}
