using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Recording;

/// <summary>Assembles the capture script: <c>capture.js</c> with the files of the folder <c>Capture</c> in one function scope.</summary>
internal static class CaptureScript
{
    /// <summary>In the order of their dependencies: constants are used where they are defined or later.</summary>
    private static readonly string[] Parts = ["samples", "encoder", "solo", "mix", "tracks", "hook"];

    /// <param name="hook">The global name of the hook.</param>
    /// <param name="binding">The global name of the DevTools binding.</param>
    /// <param name="maxSoloTracks">How many tracks are encoded separately at the same time.</param>
    public static string Assemble(string hook, string binding, int maxSoloTracks) => EmbeddedFile.ReadText("Recording.capture.js")
        .Replace("__HOOK__", hook, StringComparison.Ordinal)
        .Replace("__BINDING__", binding, StringComparison.Ordinal)
        .Replace("__MAX_SOLO_TRACKS__", $"{maxSoloTracks}", StringComparison.Ordinal)
        .Replace("/* __PARTS__ */", string.Join('\n', Parts.Select(part => EmbeddedFile.ReadText($"Recording.Capture.{part}.js"))), StringComparison.Ordinal);
}
