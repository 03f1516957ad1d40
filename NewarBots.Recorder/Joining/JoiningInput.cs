using NewarBots.Contract;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Joining;

/// <summary>The validated contents of the files that the manager put into the session folder beside the assignment: selectors and account.</summary>
/// <param name="Selectors">The selectors to use; the embedded pack if no file is given.</param>
/// <param name="Account">The account to sign in with; <see langword="null"/> to join as a guest.</param>
internal sealed record JoiningInput(SelectorPack Selectors, StorageState? Account)
{
    /// <summary>Reads the files. Deletes the account's file, even if it is invalid, so that only this process knows the account.</summary>
    /// <param name="folder">The session folder.</param>
    /// <param name="assignment">Says which files there are.</param>
    /// <exception cref="InvalidRecorderInputException">Names the file and the position in it.</exception>
    public static JoiningInput Take(string folder, RecorderAssignment assignment)
    {
        var account = assignment.HasStorageState ? InputFile.Take(folder, SessionInput.StorageState, StorageState.Parse) : null;
        var selectors = assignment.HasSelectorPack ? InputFile.Read(folder, SessionInput.SelectorPack, SelectorPack.Parse) : SelectorPack.Embedded;
        return new(selectors, account);
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
