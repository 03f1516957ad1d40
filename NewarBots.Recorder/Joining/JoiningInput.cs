using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>What the manager laid into the session's folder, checked again: the pages' signs, and the account to be signed in with.</summary>
/// <param name="Selectors">The built-in ones where no others are given.</param>
/// <param name="Account"><see langword="null"/> for a guest.</param>
internal sealed record JoiningInput(SelectorPack Selectors, StorageState? Account)
{
    /// <summary>Reads it. The account's file is gone when this returns, whatever was in it: from here on only this process knows it.</summary>
    /// <exception cref="InvalidRecorderEnvironmentException">Names the variable, and the place in its file.</exception>
    public static JoiningInput Take(RecorderEnvironment environment)
    {
        var account = Read(RecorderEnvironment.Names.StorageState, environment.StorageState, TakeAway, StorageState.Parse);
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

    private static string TakeAway(string path)
    {
        var text = File.ReadAllText(path);
        File.Delete(path);
        return text;
    }
}
