namespace NewarBots.Contract;

/// <summary>What a recorder looks at the meeting with.</summary>
public enum BrowserKind
{
    /// <summary>Chromium with a window, on a display of its own.</summary>
    Headed,

    /// <summary>Chromium's headless shell: less memory and no display, and a platform sees by its name what it is.</summary>
    HeadlessShell,
}
