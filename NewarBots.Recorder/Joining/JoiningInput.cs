using NewarBots.Contract;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Joining;

/// <summary>The validated contents of the files that the manager put into the session folder: selectors and account.</summary>
/// <param name="Selectors">The selectors to use; the embedded pack if no file is given.</param>
/// <param name="Account">The account to sign in with; <see langword="null"/> to join as a guest.</param>
internal sealed record JoiningInput(SelectorPack Selectors, StorageState? Account)
{
    /// <summary>Reads the files. Deletes the account's file, even if it is invalid, so that only this process knows the account.</summary>
    /// <exception cref="InvalidRecorderEnvironmentException">Names the variable and the position in its file.</exception>
    public static JoiningInput Take(RecorderEnvironment environment)
    {
        var account = Read(RecorderEnvironment.Names.StorageState, environment.StorageState, ReadAndDelete, StorageState.Parse);
        var selectors = Read(RecorderEnvironment.Names.SelectorPack, environment.SelectorPack, File.ReadAllText, SelectorPack.Parse);
        return new(selectors ?? SelectorPack.Embedded, account);
    }

    private static T? Read<T>(string variable, string? path, Func<string, string> read, Func<string, T> parse) where T : class
    {
        if (path is null)
            return null;
        try
        {
            return parse(read(path));
        }
        catch (Exception exception) when (exception is InvalidJsonFileException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidRecorderEnvironmentException([$"{variable}: {exception.Message.TrimEnd('.')}"]);
        }
    }

    private static string ReadAndDelete(string path)
    {
        var text = File.ReadAllText(path);
        File.Delete(path);
        return text;
    }
}

/// <summary>The selector pack for Google Meet that is embedded in the recorder (<c>selectors.json</c>).</summary>
internal static class EmbeddedSelectors
{
    private static readonly SelectorPack Pack = SelectorPack.Parse(EmbeddedFile.ReadText("Joining.selectors.json"));

    extension(SelectorPack)
    {
        public static SelectorPack Embedded => Pack;
    }
}
