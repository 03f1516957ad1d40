namespace NewarBots.Contract;

/// <summary>
/// The recorder's environment variables: settings of the host, the same for every bot, and no secret. Everything about the session is in the
/// <see cref="RecorderAssignment"/>. The manager writes the variables with <see cref="ToVariables"/>, the recorder reads them with <see cref="Read"/>.
/// </summary>
public sealed record RecorderEnvironment
{
    /// <summary>The session folder inside a recorder's container.</summary>
    public const string SessionFolderInContainer = "/app/storage/session";

    /// <summary>The session folder as the recorder sees it.</summary>
    public string SessionFolder { get; init; } = SessionFolderInContainer;

    /// <summary>Disable it only on hosts that forbid user namespaces.</summary>
    public bool ChromiumSandbox { get; init; } = true;

    public BrowserKind Browser { get; init; }

    /// <summary>Generates audio without a browser or meeting, to test many bots at once.</summary>
    public bool GenerateAudio { get; init; }

    public IReadOnlyDictionary<string, string> ToVariables()
    {
        var defaults = new RecorderEnvironment();
        var variables = new Dictionary<string, string>();
        if (SessionFolder != defaults.SessionFolder)
            variables[Names.SessionFolder] = SessionFolder;
        if (ChromiumSandbox != defaults.ChromiumSandbox)
            variables[Names.ChromiumSandbox] = "false";
        if (Browser != defaults.Browser)
            variables[Names.Browser] = WireWord.Of(Browser);
        if (GenerateAudio != defaults.GenerateAudio)
            variables[Names.GenerateAudio] = "true";
        return variables;
    }

    /// <param name="get">Returns a variable's value, or <see langword="null"/> if it is not set.</param>
    /// <exception cref="InvalidRecorderInputException">The message names every invalid variable.</exception>
    public static RecorderEnvironment Read(Func<string, string?> get)
    {
        var faults = new List<string>();
        var defaults = new RecorderEnvironment();
        var environment = new RecorderEnvironment
        {
            SessionFolder = Text(Names.SessionFolder) ?? defaults.SessionFolder,
            ChromiumSandbox = Flag(Names.ChromiumSandbox) ?? defaults.ChromiumSandbox,
            Browser = Word<BrowserKind>(Names.Browser) ?? defaults.Browser,
            GenerateAudio = Flag(Names.GenerateAudio) ?? defaults.GenerateAudio,
        };
        return faults.Count == 0 ? environment : throw new InvalidRecorderInputException(faults);

        string? Text(string name) => get(name) is { Length: > 0 } text ? text : null;

        bool? Flag(string name)
        {
            if (Text(name) is not { } text)
                return null;
            if (bool.TryParse(text, out var flag))
                return flag;
            Fault(name, "must be true or false");
            return null;
        }

        T? Word<T>(string name) where T : struct, Enum
        {
            if (Text(name) is not { } text)
                return null;
            if (WireWord.TryParse(text, out T value))
                return value;
            Fault(name, $"must be {WireWord.Choice<T>()}");
            return null;
        }

        void Fault(string name, string message) => faults.Add($"{name} {message} (it is '{get(name)}')");
    }

    /// <summary>Names of the variables.</summary>
    public static class Names
    {
        public const string SessionFolder = "SESSION_FOLDER";
        public const string ChromiumSandbox = "CHROMIUM_SANDBOX";
        public const string Browser = "BROWSER";
        public const string GenerateAudio = "GENERATE_AUDIO";
    }
}

/// <summary>A recorder was started with an invalid environment, assignment or file.</summary>
public sealed class InvalidRecorderInputException(IReadOnlyList<string> faults)
    : Exception($"The recorder cannot start: {string.Join("; ", faults)}.")
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>The browser that a recorder opens the meeting with.</summary>
public enum BrowserKind
{
    /// <summary>Chromium with a window, on a virtual display.</summary>
    Headed,

    /// <summary>Chromium's headless shell. It needs less memory and no display, but platforms can recognize it by its user agent.</summary>
    HeadlessShell,
}
