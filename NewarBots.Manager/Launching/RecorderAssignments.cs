using System.Net;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.ServiceDefaults;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Creates what a recorder is told: its assignment and its environment. Addresses on <c>localhost</c> are translated, because from inside the container this machine has
/// the name <see cref="IPortForwarding.HostName"/>.
/// </summary>
internal sealed class RecorderAssignments(
    IOptions<LaunchingOptions> options, IOptions<JoiningOptions> joining, IOptions<RecordingOptions> recording, IConfiguration configuration)
{
    private const int DefaultRedisPort = 6379;

    /// <param name="bot">The bot to record for.</param>
    /// <param name="credentials">The bot's own Redis user.</param>
    /// <param name="traceParent">Trace context of the launch; <see langword="null"/> for the bot's own.</param>
    public RecorderAssignment Create(Bot bot, RecorderCredentials credentials, string? traceParent)
    {
        var otlp = OtlpEndpoint;
        return new()
        {
            SessionId = bot.Id,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.BotName,
            Leave = bot.Leave,
            RedisUrl = RedisUrl(credentials),
            TraceParent = traceParent ?? bot.TraceParent,
            OtlpEndpoint = otlp is null ? null : FromContainer(otlp),
            OtlpProtocol = otlp is null ? null : configuration["OTEL_EXPORTER_OTLP_PROTOCOL"],
            OtlpHeaders = otlp is null ? null : configuration["OTEL_EXPORTER_OTLP_HEADERS"],
            LocalhostIs = bot.MeetingUrl.IsLoopback ? IPortForwarding.HostName : null,
            RecordTracks = bot.RecordTracks ?? recording.Value.TrackFiles,
            HasSelectorPack = !string.IsNullOrEmpty(joining.Value.SelectorPack),
            HasStorageState = !string.IsNullOrEmpty(joining.Value.StorageState),
        };
    }

    /// <summary>The same for every bot.</summary>
    public RecorderEnvironment Environment => new()
    {
        ChromiumSandbox = options.Value.ChromiumSandbox,
        Browser = WireWord.TryParse(joining.Value.Browser, out BrowserKind browser) ? browser : BrowserKind.Headed,
        GenerateAudio = options.Value.GenerateAudio,
    };

    /// <summary>The loopback ports of this machine that the bot needs.</summary>
    public IReadOnlyDictionary<int, ForwardedService> LoopbackPorts(Bot bot)
    {
        var ports = new Dictionary<int, ForwardedService>();
        if (options.Value.RecorderOtlpEndpoint is null && OtlpEndpoint is { IsLoopback: true } otlp)
            ports[otlp.Port] = ForwardedService.Other;
        if (bot.MeetingUrl.IsLoopback)
            ports[bot.MeetingUrl.Port] = ForwardedService.Meeting;
        // Last: a meeting's address must not lift the limits for Redis.
        if (options.Value.RecorderRedis is null)
        {
            foreach (var endpoint in Redis.EndPoints.Where(RedisSettings.IsLoopback))
                ports[PortOf(endpoint)] = Redis.Ssl ? ForwardedService.Other : ForwardedService.Redis;
        }

        return ports;
    }

    private ConfigurationOptions Redis => RedisSettings.ReadOptions(configuration, "redis");

    private Uri? OtlpEndpoint => options.Value.RecorderOtlpEndpoint
        ?? (Uri.TryCreate(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"], UriKind.Absolute, out var endpoint) ? endpoint : null);

    /// <summary>
    /// The manager's connection to Redis with the bot's own user. It disables the commands that the client sends by default when it connects, to
    /// read the server's role, settings and cluster, because the bot's user may not run them.
    /// </summary>
    private string RedisUrl(RecorderCredentials credentials)
    {
        var redis = Redis;
        var forBot = new ConfigurationOptions
        {
            User = credentials.User,
            Password = credentials.Password,
            Ssl = redis.Ssl,
            SslHost = redis.SslHost ?? (redis.Ssl && redis.EndPoints is [DnsEndPoint { Host: var host }, ..] ? host : null),
            AbortOnConnectFail = false,
            SetClientLibrary = false,
            TieBreaker = string.Empty,
            ConfigurationChannel = string.Empty,
            CommandMap = CommandMap.Create(["INFO", "CONFIG", "CLUSTER", "SENTINEL", "GET"], available: false),
        };
        if (options.Value.RecorderRedis is { } fromContainers)
        {
            forBot.EndPoints.Add(fromContainers);
        }
        else
        {
            foreach (var endpoint in redis.EndPoints)
                forBot.EndPoints.Add(RedisSettings.IsLoopback(endpoint) ? new DnsEndPoint(IPortForwarding.HostName, PortOf(endpoint)) : endpoint);
        }
        return forBot.ToString(includePassword: true);
    }

    private static Uri FromContainer(Uri address) => address.IsLoopback ? new UriBuilder(address) { Host = IPortForwarding.HostName }.Uri : address;

    private static int PortOf(EndPoint endpoint)
    {
        var port = endpoint switch
        {
            IPEndPoint ip => ip.Port,
            DnsEndPoint dns => dns.Port,
            _ => 0,
        };
        return port == 0 ? DefaultRedisPort : port;
    }
}
