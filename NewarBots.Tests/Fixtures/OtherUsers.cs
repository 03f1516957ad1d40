namespace NewarBots.Tests.Fixtures;

/// <summary>FFmpeg runs as another user if the tests run as root.</summary>
internal static class OtherUsers
{
    /// <summary>Makes an empty folder for scripts, outside the closed storage folder.</summary>
    public static string MakeFolder()
    {
        var folder = Directory.CreateTempSubdirectory("newarbots-scripts-").FullName;
        Allow(folder);
        return folder;
    }

    /// <summary>Lets all users read, write and execute a file, or use a folder.</summary>
    public static void Allow(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
    }
}
