namespace NewarBots.Contract;

/// <summary>What the manager lays into a session's folder for its recorder to read when it starts.</summary>
public static class SessionInput
{
    public const string SelectorPack = "selectors.json";

    /// <summary>A secret: readable by the recorder alone, which removes it as soon as it has read it.</summary>
    public const string StorageState = "storage-state.json";

    public static bool IsName(string file) => file is SelectorPack or StorageState;
}
