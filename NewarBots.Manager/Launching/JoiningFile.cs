using NewarBots.Contract;

namespace NewarBots.Manager.Launching;

/// <summary>
/// A file that section <c>Joining</c> names. It is read when the manager starts and again for each bot, so that a change needs no
/// restart, and what a bot gets is the very text that was checked.
/// </summary>
/// <param name="Key">The setting that names it.</param>
/// <param name="Path">Where it is.</param>
/// <param name="NameInSession">What it is called in a session's folder.</param>
/// <param name="Check">Throws <see cref="InvalidJsonFileException"/>.</param>
internal sealed record JoiningFile(string Key, string Path, string NameInSession, Action<string> Check)
{
    public static IEnumerable<JoiningFile> Of(JoiningOptions options)
    {
        if (options.SelectorPack is { Length: > 0 } pack)
            yield return new("Joining:SelectorPack", pack, SessionInput.SelectorPack, json => SelectorPack.Parse(json));
        if (options.StorageState is { Length: > 0 } state)
            yield return new("Joining:StorageState", state, SessionInput.StorageState, json => StorageState.Parse(json));
    }

    /// <returns>Its text.</returns>
    /// <exception cref="InvalidJoiningFileException">It cannot be read, or not be used.</exception>
    public string Read()
    {
        try
        {
            var text = File.ReadAllText(Path);
            Check(text);
            return text;
        }
        catch (Exception exception) when (exception is InvalidJsonFileException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidJoiningFileException($"{Key}: {Path}: {exception.Message}", exception);
        }
    }
}

/// <summary>The message has the setting, the file and every place in it that is at fault.</summary>
internal sealed class InvalidJoiningFileException(string message, Exception inner) : Exception(message, inner);
