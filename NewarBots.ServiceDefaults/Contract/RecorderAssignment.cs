using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace NewarBots.Contract;

/// <summary>
/// The recorder's task in its session: the file <see cref="SessionInput.Assignment"/> in the session folder. The manager writes it before the
/// recorder starts. The recorder deletes it right after reading it, because it holds the password of the bot's Redis user.
/// </summary>
public sealed record RecorderAssignment
{
    // Generated code would replace the defaults of missing properties by zeros.
    private static readonly JsonTypeInfo<RecorderAssignment> Json = (JsonTypeInfo<RecorderAssignment>)new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    }.GetTypeInfo(typeof(RecorderAssignment));

    public required SessionId SessionId { get; init; }

    /// <summary>An http or https URL.</summary>
    public required Uri MeetingUrl { get; init; }

    public required string BotName { get; init; }

    /// <summary>
    /// StackExchange.Redis configuration as seen from the container, with the bot's own ACL user and password. If <see langword="null"/>,
    /// the recorder runs without Redis.
    /// </summary>
    public string? RedisUrl { get; init; }

    public TimeSpan ChunkLength { get; init; } = ChunkFormat.DefaultLength;

    public LeaveConditions Leave { get; init; } = new();

    /// <summary>W3C trace context of the launch, so that both processes share one trace.</summary>
    public string? TraceParent { get; init; }

    /// <summary>As seen from the container. If <see langword="null"/>, the recorder exports no telemetry.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary><c>grpc</c> or <c>http/protobuf</c>.</summary>
    public string? OtlpProtocol { get; init; }

    /// <summary>Headers for the OTLP endpoint: <c>key=value</c>, separated by commas. May hold a secret.</summary>
    public string? OtlpHeaders { get; init; }

    /// <summary>
    /// Host to connect to for <c>localhost</c> in a meeting URL, as seen from the container. The page keeps its address and stays a secure
    /// context. If <see langword="null"/>, <c>localhost</c> is the container itself.
    /// </summary>
    public string? LocalhostIs { get; init; }

    /// <summary>Records one file per track in addition to the mix.</summary>
    public bool RecordTracks { get; init; }

    /// <summary>The session folder has a <see cref="SelectorPack"/>; otherwise the built-in one is used.</summary>
    public bool HasSelectorPack { get; init; }

    /// <summary>The session folder has a <see cref="StorageState"/>; otherwise the bot joins as a guest.</summary>
    public bool HasStorageState { get; init; }

    /// <summary>
    /// OpenTelemetry's own settings. They name the source of the telemetry after the bot's container: <c>newar-bot-{id}</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string?> TelemetrySettings() => OtlpEndpoint is null
        ? new Dictionary<string, string?>()
        : new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = OtlpEndpoint.AbsoluteUri,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = OtlpProtocol,
            ["OTEL_EXPORTER_OTLP_HEADERS"] = OtlpHeaders,
            ["OTEL_SERVICE_NAME"] = "newar-bot",
            ["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={SessionId}",
        };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="InvalidRecorderInputException">The message contains every error with its location, and no secret.</exception>
    public static RecorderAssignment Parse(string json) => CheckedJson.Read(
        json,
        Json,
        assignment => assignment.Errors(),
        faults => new InvalidRecorderInputException([.. faults.Select(fault => $"{SessionInput.Assignment}, {fault}")]));

    private IEnumerable<JsonError> Errors()
    {
        if (!MeetingUrl.IsAbsoluteUri || MeetingUrl.Scheme is not ("http" or "https"))
            yield return new("$.meetingUrl", "must be an http or https URL");
        if (BotName.Length == 0)
            yield return new("$.botName", "must not be empty");
        if (ChunkLength <= TimeSpan.Zero)
            yield return new("$.chunkLength", "must be positive");
        if (OtlpEndpoint is { } endpoint && (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https")))
            yield return new("$.otlpEndpoint", "must be an http or https URL");
    }
}
