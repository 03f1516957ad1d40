using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Contract;

public sealed class RecorderAssignmentTests
{
    private static RecorderAssignment Full { get; } = new()
    {
        SessionId = SessionId.New(TimeProvider.System),
        MeetingUrl = new Uri("https://meet.google.com/abc-defg-hij?hl=en"),
        BotName = "Notes = \"taker\" ñ\n",
        RedisUrl = "redis:6379,user=bot,password=a=b",
        ChunkLength = TimeSpan.FromSeconds(2.5),
        Leave = new()
        {
            WaitingRoomTimeout = TimeSpan.FromSeconds(1),
            NobodyJoinedTimeout = TimeSpan.FromSeconds(2),
            EveryoneLeftTimeout = TimeSpan.FromSeconds(3),
            SilenceTimeout = TimeSpan.FromSeconds(4),
            MaxDuration = TimeSpan.FromSeconds(5.125),
        },
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        OtlpEndpoint = new Uri("http://collector:4317/"),
        OtlpProtocol = "grpc",
        OtlpHeaders = "a=b",
        LocalhostIs = "host.docker.internal",
        RecordTracks = true,
        HasSelectorPack = true,
        HasStorageState = true,
    };

    [Fact]
    public void The_recorder_reads_exactly_what_the_manager_writes() => Assert.Equal(Full, RecorderAssignment.Parse(Full.ToJson()));

    [Fact]
    public void Missing_values_get_their_defaults()
    {
        var read = RecorderAssignment.Parse("""{"sessionId":"0193a0","meetingUrl":"https://meet.google.com/abc-defg-hij","botName":"Bot"}""");

        Assert.Equal((new LeaveConditions(), ChunkFormat.DefaultLength, false), (read.Leave, read.ChunkLength, read.RecordTracks));
        Assert.Empty(read.TelemetrySettings());
    }

    /// <summary>The dashboard ties telemetry to the resource that is called <c>{service name}-{instance id}</c>.</summary>
    [Fact]
    public void A_bots_telemetry_is_named_after_its_container()
    {
        var settings = Full.TelemetrySettings();

        Assert.Equal($"service.instance.id={Full.SessionId}", settings["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal(RecorderContainerName.Of(Full.SessionId), $"{settings["OTEL_SERVICE_NAME"]}-{Full.SessionId}");
    }

    [Theory]
    [InlineData("", "assignment.json, line 1, $: ")]
    [InlineData("null", "assignment.json, line 1, $: is null")]
    [InlineData("""{"sessionId":"0193a0","botName":"Bot"}""", "assignment.json, line 1, $: lacks 'meetingUrl'")]
    [InlineData("""{"sessionId":"0193a0","meetingUrl":"file:///etc/passwd","botName":"Bot"}""", "assignment.json, line 1, $.meetingUrl: must be an http or https URL")]
    public void An_invalid_assignment_is_reported_with_its_position(string json, string fault)
    {
        var refused = Assert.Throws<InvalidRecorderInputException>(() => RecorderAssignment.Parse(json));

        Assert.StartsWith(fault, Assert.Single(refused.Faults), StringComparison.Ordinal);
    }
}
