using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Contract;

public sealed class RecorderEnvironmentTests
{
    private static RecorderEnvironment Full { get; } = new()
    {
        SessionId = SessionId.New(TimeProvider.System),
        UserId = UserId.Parse("anna-1"),
        MeetingUrl = new Uri("https://meet.google.com/abc-defg-hij?hl=en"),
        BotName = "Notes = \"taker\" ñ",
        RedisUrl = "redis:6379,user=bot,password=a=b",
        StoragePath = "/elsewhere",
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
        ChromiumSandbox = false,
        GenerateAudio = true,
        RecordTracks = true,
        Browser = BrowserKind.HeadlessShell,
        SelectorPack = "/app/storage/selectors.json",
        StorageState = "/app/storage/storage-state.json",
    };

    [Fact]
    public void The_recorder_reads_exactly_what_the_manager_writes()
    {
        var variables = Full.ToVariables();

        Assert.Equal(Full, RecorderEnvironment.Read(name => variables.GetValueOrDefault(name)));
    }

    /// <summary>The dashboard ties telemetry to the resource that is called <c>{service name}-{instance id}</c>.</summary>
    [Fact]
    public void A_bots_telemetry_is_named_after_its_container()
    {
        var variables = Full.ToVariables();

        Assert.Equal($"service.instance.id={Full.SessionId}", variables["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal(RecorderContainerName.Of(Full.SessionId), $"{variables["OTEL_SERVICE_NAME"]}-{Full.SessionId}");
    }

    [Fact]
    public void Missing_variables_get_their_defaults()
    {
        var variables = new RecorderEnvironment
        {
            SessionId = Full.SessionId,
            UserId = Full.UserId,
            MeetingUrl = Full.MeetingUrl,
            BotName = "Bot",
        }.ToVariables();

        var read = RecorderEnvironment.Read(name => variables.GetValueOrDefault(name));

        Assert.Equal(new LeaveConditions(), read.Leave);
        Assert.Equal(ChunkFormat.DefaultLength, read.ChunkLength);
        Assert.True(read.ChromiumSandbox);
        Assert.Equal(BrowserKind.Headed, read.Browser);
        Assert.False(read.RecordTracks);
    }

    [Fact]
    public void All_invalid_variables_are_reported_together()
    {
        var variables = new Dictionary<string, string>
        {
            ["MEETING_URL"] = "file:///etc/passwd",
            ["CHUNK_SECONDS"] = "soon",
            ["USER_ID"] = "../other",
            ["BROWSER"] = "lynx",
        };

        var fault = Assert.Throws<InvalidRecorderEnvironmentException>(() => RecorderEnvironment.Read(variables.GetValueOrDefault));

        Assert.Equal(
            ["RECORDING_SESSION_ID", "USER_ID", "MEETING_URL", "BOT_NAME", "CHUNK_SECONDS", "BROWSER"],
            fault.Faults.Select(text => text.Split(' ')[0]));
    }
}
