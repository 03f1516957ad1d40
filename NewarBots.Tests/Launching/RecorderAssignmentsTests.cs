using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

public sealed class RecorderAssignmentsTests
{
    private static readonly RecorderCredentials Credentials = new("newarbots-bot-1", "secret");

    [Fact]
    public void The_assignment_has_all_settings_of_the_bot()
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");

        var assignment = Factory().Create(bot, Credentials, traceParent: null);

        Assert.Equal(
            new RecorderAssignment
            {
                SessionId = bot.Id,
                MeetingUrl = bot.MeetingUrl,
                BotName = bot.BotName,
                Leave = bot.Leave,
                RedisUrl = assignment.RedisUrl,
                TraceParent = bot.TraceParent,
            },
            assignment);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_bot_can_have_its_own_setting_for_tracks(bool? ofBot, bool expected)
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij") with { RecordTracks = ofBot };

        Assert.Equal(expected, Factory(("Recording:TrackFiles", "true")).Create(bot, Credentials, traceParent: null).RecordTracks);
    }

    [Fact]
    public void The_recorders_trace_continues_the_launch()
    {
        const string Launch = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

        var assignment = Factory().Create(SampleBots.Launchable("https://meet.google.com/abc-defg-hij"), Credentials, Launch);

        Assert.Equal(Launch, assignment.TraceParent);
    }

    [Fact]
    public void The_assignment_says_which_files_are_beside_it()
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");
        var factory = Factory(
            ("Joining:SelectorPack", "/etc/newarbots/pack.json"),
            ("Joining:StorageState", "/etc/newarbots/state.json"),
            ("Joining:Browser", "headless_shell"));

        var assignment = factory.Create(bot, Credentials, traceParent: null);

        Assert.True(assignment.HasSelectorPack);
        Assert.True(assignment.HasStorageState);
        Assert.Equal(BrowserKind.HeadlessShell, factory.Environment.Browser);
    }

    [Theory]
    [InlineData("http://localhost:8082/rehearsal/one", "host.docker.internal", 8082)]
    [InlineData("http://127.0.0.1/rehearsal/one", "host.docker.internal", 80)]
    [InlineData("https://meet.google.com/abc-defg-hij", null, null)]
    public void A_meeting_on_localhost_is_on_the_managers_machine(string url, string? localhostIs, int? port)
    {
        var bot = SampleBots.Launchable(url);
        var factory = Factory(("ConnectionStrings:redis", "redis.example:6379"));

        var assignment = factory.Create(bot, Credentials, traceParent: null);

        Assert.Equal(new Uri(url), assignment.MeetingUrl);
        Assert.Equal(localhostIs, assignment.LocalhostIs);
        Assert.Equal(port is null ? [] : [port.Value], factory.LoopbackPorts(bot).Keys);
    }

    [Theory]
    [InlineData("127.0.0.1:6390", "host.docker.internal:6390", 6390)]
    [InlineData("localhost", "host.docker.internal:6379", 6379)]
    [InlineData("redis.example:6380,ssl=true,password=of-the-manager", "redis.example:6380", null)]
    public void The_Redis_address_works_from_inside_the_container(string connectionString, string endpoint, int? port)
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");
        var factory = Factory(("ConnectionStrings:redis", connectionString));

        var redis = ConfigurationOptions.Parse(factory.Create(bot, Credentials, traceParent: null).RedisUrl!);

        Assert.Equal(endpoint, Assert.Single(redis.EndPoints).ToString()!.Replace("Unspecified/", string.Empty, StringComparison.Ordinal));
        Assert.Equal((Credentials.User, Credentials.Password), (redis.User, redis.Password));
        Assert.Equal(connectionString.Contains("ssl=true", StringComparison.Ordinal), redis.Ssl);
        Assert.Equal(port is null ? [] : [port.Value], factory.LoopbackPorts(bot).Keys);
    }

    [Fact]
    public void Settings_for_bots_override_those_of_the_manager()
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");
        var factory = Factory(
            ("ConnectionStrings:redis", "127.0.0.1:6379"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"),
            ("Launching:RecorderRedis", "10.0.0.7:6379"),
            ("Launching:RecorderOtlpEndpoint", "http://collector:4317"),
            ("Launching:ChromiumSandbox", "false"),
            ("Launching:GenerateAudio", "true"),
            ("Recording:TrackFiles", "true"));

        var assignment = factory.Create(bot, Credentials, traceParent: null);

        Assert.StartsWith("10.0.0.7:6379,", assignment.RedisUrl, StringComparison.Ordinal);
        Assert.Equal(new Uri("http://collector:4317"), assignment.OtlpEndpoint);
        Assert.Equal(new() { ChromiumSandbox = false, GenerateAudio = true }, factory.Environment);
        Assert.True(assignment.RecordTracks);
        Assert.Empty(factory.LoopbackPorts(bot).Keys);
    }

    [Fact]
    public void Bots_export_to_the_managers_collector_by_default()
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");
        var factory = Factory(
            ("ConnectionStrings:redis", "redis:6379"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-otlp-api-key=abc"));

        var assignment = factory.Create(bot, Credentials, traceParent: null);

        Assert.Equal(new Uri("http://host.docker.internal:4317"), assignment.OtlpEndpoint);
        Assert.Equal(("grpc", "x-otlp-api-key=abc"), (assignment.OtlpProtocol, assignment.OtlpHeaders));
        Assert.Equal([4317], factory.LoopbackPorts(bot).Keys);
    }

    internal static RecorderAssignments Factory(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:redis"] = "redis:6379" })
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value))
            .Build();
        var options = configuration.GetSection(LaunchingOptions.Section).Get<LaunchingOptions>() ?? new();
        var joining = configuration.GetSection(JoiningOptions.Section).Get<JoiningOptions>() ?? new();
        var recording = configuration.GetSection(RecordingOptions.Section).Get<RecordingOptions>() ?? new();
        return new(Options.Create(options), Options.Create(joining), Options.Create(recording), configuration);
    }
}
