using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

internal static class LiveAudio
{
    /// <summary>
    /// How far a real call may stretch a second. Its far side, its network and its jitter buffers run on the same two cores as the
    /// recorder; where they are late, WebRTC plays the sound slower and faster again. A lost or doubled second, or half of one,
    /// is far outside of this; that no packet of the recorder's own is lost or doubled, the chunk tests show exactly.
    /// </summary>
    public const double Stretch = 0.3;

    public static async Task<TimeCodeReport> ReportAsync(string path, int participants) => TimeCodeReport.Of(
        await AudioFile.DecodeAsync(path), participants, placeTolerance: Stretch, lengthTolerance: Stretch);

    public static async Task<TimeCodeReport> ReportAsync(string path, RehearsalScenario scenario)
    {
        var samples = await AudioFile.DecodeAsync(path);
        // A quiet voice is as good a time code as a loud one.
        var gain = (float)(TimeCode.Level / scenario.Audio.Level);
        return TimeCodeReport.Of([.. samples.Select(sample => sample * gain)], scenario.Participants, placeTolerance: Stretch, lengthTolerance: Stretch);
    }
}
