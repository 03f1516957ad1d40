using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Recorder;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recording;

/// <summary>A recorder that joins its meeting again, with scripted visits: its statuses and its reason to end.</summary>
public sealed class RejoinTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-rejoin-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(EndReason.NoAudio, EndReason.DeniedByHost)]
    [InlineData(EndReason.NetworkLost, EndReason.NetworkLost)]
    [InlineData(EndReason.BrowserCrashed, EndReason.BrowserCrashed)]
    public async Task A_rejoin_that_is_refused_ends_the_bot_for_the_loss_or_for_the_refusal_if_the_network_works(EndReason cause, EndReason reason)
    {
        var statuses = await RunAsync(
            new(true, new(cause, "It stopped.")),
            new(false, new(EndReason.DeniedByHost, "The page shows denied.request.")));

        Assert.Equal(reason, statuses[^1].Reason);
        Assert.Contains("(denied_by_host). The page shows denied.request.", statuses[^1].Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EndReason.NoAudio)]
    [InlineData(EndReason.NetworkLost)]
    [InlineData(EndReason.BrowserCrashed)]
    public async Task A_bot_that_joins_again_reports_that_it_records_nothing(EndReason cause)
    {
        var statuses = await RunAsync(new(true, new(cause, "It stopped.")), new(true, new(EndReason.MeetingEnded)));

        var rejoining = Assert.Single(statuses, status => status.Status is BotStatus.Recording);
        Assert.Equal(EndReason.NoAudio, rejoining.Reason);
        Assert.StartsWith("It stopped. Rejoining (attempt 1 of", rejoining.Detail, StringComparison.Ordinal);
        Assert.Equal(EndReason.MeetingEnded, statuses[^1].Reason);
    }

    [Fact]
    public async Task A_bot_that_was_not_in_the_call_yet_does_not_report_a_recording()
    {
        var statuses = await RunAsync(new(false, new(EndReason.BrowserCrashed, "It stopped.")), new(true, new(EndReason.MeetingEnded)));

        Assert.DoesNotContain(statuses, status => status.Status is BotStatus.Recording || status.Reason is EndReason.NoAudio);
    }

    private async Task<IReadOnlyList<StatusMessage>> RunAsync(params ScriptedVisit[] visits)
    {
        var environment = new RecorderEnvironment { SessionFolder = _folder.FullName, Browser = BrowserKind.HeadlessShell };
        var assignment = TestManager.Assignment(SessionId.New(TimeProvider.System), "Notes");
        var remaining = new Queue<IMeetingVisit>(visits);
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddRecorder(environment, assignment, new JoiningInput(SelectorPack.Embedded, Account: null), new Watchdog(TimeProvider.System, () => { }))
            .AddSingleton<Func<IMeetingVisit>>(remaining.Dequeue)
            .BuildServiceProvider();
        await services.GetRequiredService<RecorderRun>().RunAsync();
        Assert.Empty(remaining);
        return new RecorderFolder(_folder.FullName).Statuses();
    }

    private sealed class ScriptedVisit(bool wasInCall, LeaveDecision decision) : IMeetingVisit
    {
        public MeetingPage? Page => null;

        public bool WasInCall => wasInCall;

        public DateTimeOffset? InCallAt => null;

        public Task<LeaveDecision> AttendAsync(bool isAgain, DateTimeOffset deadline, Task writing) => Task.FromResult(decision);

        public Task StopCaptureAsync() => Task.CompletedTask;

        public Task LeaveAsync() => Task.CompletedTask;

        public ValueTask CloseAsync() => ValueTask.CompletedTask;
    }
}
