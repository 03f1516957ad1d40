using System.Text;

namespace NewarBots.Recorder;

/// <summary>The scripts and the selector pack that are built into the program.</summary>
internal static class EmbeddedText
{
    /// <param name="name">Folder and file, for example <c>Recording.capture.js</c>.</param>
    public static string Read(string name)
    {
        using var stream = typeof(EmbeddedText).Assembly.GetManifestResourceStream($"NewarBots.Recorder.{name}")
            ?? throw new InvalidOperationException($"{name} is not built into the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
