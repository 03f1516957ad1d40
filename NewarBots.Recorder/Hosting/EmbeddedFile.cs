using System.Text;

namespace NewarBots.Recorder.Hosting;

/// <summary>Files embedded in the assembly: scripts, the selector pack and the generated audio.</summary>
internal static class EmbeddedFile
{
    /// <param name="name">Folder and file, for example <c>Joining.look.js</c>.</param>
    public static string ReadText(string name)
    {
        using var reader = new StreamReader(Open(name), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <inheritdoc cref="ReadText"/>
    public static Stream Open(string name) =>
        typeof(EmbeddedFile).Assembly.GetManifestResourceStream($"NewarBots.Recorder.{name}")
        ?? throw new InvalidOperationException($"{name} is not embedded in the assembly.");
}
