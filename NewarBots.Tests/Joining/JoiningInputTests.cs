using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Joining;

public sealed class JoiningInputTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-input-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Defaults_to_a_guest_with_the_embedded_selectors() =>
        Assert.Equal(new JoiningInput(SelectorPack.Embedded, Account: null), JoiningInput.Take(_folder.FullName, Assignment));

    [Fact]
    public void Reading_deletes_the_account_file_and_keeps_the_selector_file()
    {
        var pack = Write(SessionInput.SelectorPack, EmbeddedFile.ReadText("Joining.selectors.json").Replace("google-meet", "other", StringComparison.Ordinal));
        var state = Write(SessionInput.StorageState, """{"cookies":[{"name":"a","value":"b","domain":"meet.google.com"}]}""");

        var input = JoiningInput.Take(_folder.FullName, Assignment with { HasSelectorPack = true, HasStorageState = true });

        Assert.Equal(("other", "a of meet.google.com"), (input.Selectors.Name, $"{Assert.Single(input.Account!.Cookies)}"));
        Assert.True(File.Exists(pack));
        Assert.False(File.Exists(state));
    }

    [Theory]
    [InlineData("{", "{}", "storage-state.json: The storage state cannot be used: line 1, $")]
    [InlineData("""{"cookies":[{"name":"a","value":"b","domain":"c"}]}""", "{}", "selectors.json: The selector pack cannot be used: line 1, $")]
    public void An_invalid_file_is_reported_with_its_name_and_position_and_the_account_file_is_deleted(string state, string pack, string fault)
    {
        var path = Write(SessionInput.StorageState, state);
        Write(SessionInput.SelectorPack, pack);

        var refused = Assert.Throws<InvalidRecorderInputException>(
            () => JoiningInput.Take(_folder.FullName, Assignment with { HasSelectorPack = true, HasStorageState = true }));

        Assert.StartsWith(fault, Assert.Single(refused.Faults), StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_missing_file_is_reported_with_its_name()
    {
        var refused = Assert.Throws<InvalidRecorderInputException>(() => JoiningInput.Take(_folder.FullName, Assignment with { HasStorageState = true }));

        Assert.StartsWith("storage-state.json: Could not find", Assert.Single(refused.Faults), StringComparison.Ordinal);
    }

    private static RecorderAssignment Assignment { get; } = TestManager.Assignment(SessionId.Parse("0193a0"), "Notes");

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
