using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

internal static class LiveAudio
{
    /// <summary>
    /// How much a real call may stretch a second, as a fraction. The sender and its jitter buffers share the recorder's two cores. When they are late,
    /// WebRTC plays the audio slower and then faster. A lost or repeated half second is far outside this tolerance. The chunk tests show exactly that
    /// the recorder itself loses and repeats no packet.
    /// </summary>
    public const double Stretch = 0.3;

    public static async Task<TimeCodeReport> ReportAsync(string path, int participants) => TimeCodeReport.Of(
        await AudioFile.DecodeAsync(path), participants, placeTolerance: Stretch, lengthTolerance: Stretch);

    public static async Task<TimeCodeReport> ReportAsync(string path, RehearsalScenario scenario) => Report(await AudioFile.DecodeAsync(path), scenario);

    /// <param name="samples">48 kHz mono.</param>
    /// <param name="scenario">The rehearsal.</param>
    public static TimeCodeReport Report(float[] samples, RehearsalScenario scenario)
    {
        // Amplify quiet scenarios to the level of the time code.
        var gain = (float)(TimeCode.Level / scenario.Audio.Level);
        return TimeCodeReport.Of([.. samples.Select(sample => sample * gain)], scenario.Participants, placeTolerance: Stretch, lengthTolerance: Stretch);
    }
}
