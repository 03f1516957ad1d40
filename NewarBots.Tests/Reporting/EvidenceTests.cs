using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Tests.Reporting;

public sealed class EvidenceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-evidence-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_warning_that_comes_and_goes_leaves_five_folders_and_the_end_leaves_one_more()
    {
        var evidence = new Evidence(_folder.FullName, TimeProvider.System, NullLogger<Evidence>.Instance);

        for (var i = 0; i < 20; i++)
            await evidence.CollectAsync(EndReason.NoAudio, "Nothing is heard.", page: null);
        await evidence.CollectAsync(EndReason.BrowserCrashed, "The page crashed.", page: null);
        await evidence.CollectAsync(EndReason.NoAudio, "Nothing is heard.", page: null, isLast: true);

        var folders = _folder.GetDirectories().Single().GetDirectories().Select(one => one.Name).Order(StringComparer.Ordinal);
        Assert.Equal(["1_no_audio", "2_no_audio", "3_no_audio", "4_no_audio", "5_no_audio", "6_browser_crashed", "7_no_audio"], folders);
    }
}
