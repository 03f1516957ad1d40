using System.Globalization;

namespace NewarBots.Contract;

/// <summary>
/// The recorder's input, passed as environment variables. The manager writes them with <see cref="ToVariables"/>, the recorder reads them with
/// <see cref="Read"/>.
/// </summary>
public sealed record RecorderEnvironment
{
    public required SessionId SessionId { get; init; }

    public required UserId UserId { get; init; }

    public required Uri MeetingUrl { get; init; }

    public required string BotName { get; init; }

    /// <summary>
    /// StackExchange.Redis configuration as seen from the container, with the bot's own ACL user and password. If <see langword="null"/>,
    /// the recorder runs without Redis.
    /// </summary>
    public string? RedisUrl { get; init; }

    /// <summary>The storage folder inside the container, with a <see cref="StorageLayout"/>.</summary>
    public string StoragePath { get; init; } = StorageLayout.RootInContainer;

    public TimeSpan ChunkLength { get; init; } = ChunkFormat.DefaultLength;

    public LeaveConditions Leave { get; init; } = new();

    /// <summary>W3C trace context of the launch, so that both processes share one trace.</summary>
    public string? TraceParent { get; init; }

    /// <summary>With it, <see cref="ToVariables"/> also names the source of the telemetry after the bot's container: <c>newar-bot-{id}</c>.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary><c>grpc</c> or <c>http/protobuf</c>.</summary>
    public string? OtlpProtocol { get; init; }

    /// <summary>Headers for the OTLP endpoint: <c>key=value</c>, separated by commas.</summary>
    public string? OtlpHeaders { get; init; }

    /// <summary>
    /// Host to connect to for <c>localhost</c> in a meeting URL, as seen from the container. The page keeps its address and stays a secure
    /// context. If <see langword="null"/>, <c>localhost</c> is the container itself.
    /// </summary>
    public string? LocalhostIs { get; init; }

    /// <summary>Disable it only on hosts that forbid user namespaces.</summary>
    public bool ChromiumSandbox { get; init; } = true;

    public BrowserKind Browser { get; init; }

    /// <summary>Generates audio without a browser or meeting, to test many bots at once.</summary>
    public bool GenerateAudio { get; init; }

    /// <summary>Records one file per track in addition to the mix.</summary>
    public bool RecordTracks { get; init; }

    /// <summary>Path of a <see cref="Contract.SelectorPack"/> inside the container; <see langword="null"/> for the built-in one.</summary>
    public string? SelectorPack { get; init; }

    /// <summary>Path of a <see cref="Contract.StorageState"/> inside the container; <see langword="null"/> for a guest without an account.</summary>
    public string? StorageState { get; init; }

    public IReadOnlyDictionary<string, string> ToVariables()
    {
        var variables = new Dictionary<string, string>
        {
            [Names.SessionId] = SessionId.ToString(),
            [Names.UserId] = UserId.ToString(),
            [Names.MeetingUrl] = MeetingUrl.AbsoluteUri,
            [Names.BotName] = BotName,
            [Names.StoragePath] = StoragePath,
            [Names.ChunkSeconds] = Seconds(ChunkLength),
            [Names.WaitingRoomTimeout] = Seconds(Leave.WaitingRoomTimeout),
            [Names.NobodyJoinedTimeout] = Seconds(Leave.NobodyJoinedTimeout),
            [Names.EveryoneLeftTimeout] = Seconds(Leave.EveryoneLeftTimeout),
            [Names.MaxDuration] = Seconds(Leave.MaxDuration),
        };
        AddIfSet(Names.SilenceTimeout, Leave.SilenceTimeout is { } silence ? Seconds(silence) : null);
        AddIfSet(Names.RedisUrl, RedisUrl);
        AddIfSet(Names.TraceParent, TraceParent);
        AddIfSet(Names.OtlpEndpoint, OtlpEndpoint?.AbsoluteUri);
        AddIfSet(Names.OtlpProtocol, OtlpProtocol);
        AddIfSet(Names.OtlpHeaders, OtlpHeaders);
        AddIfSet(Names.ServiceName, OtlpEndpoint is null ? null : "newar-bot");
        AddIfSet(Names.ResourceAttributes, OtlpEndpoint is null ? null : $"service.instance.id={SessionId}");
        AddIfSet(Names.LocalhostIs, LocalhostIs);
        AddIfSet(Names.ChromiumSandbox, ChromiumSandbox ? null : "false");
        AddIfSet(Names.Browser, Browser is BrowserKind.Headed ? null : WireWord.Of(Browser));
        AddIfSet(Names.GenerateAudio, GenerateAudio ? "true" : null);
        AddIfSet(Names.RecordTracks, RecordTracks ? "true" : null);
        AddIfSet(Names.SelectorPack, SelectorPack);
        AddIfSet(Names.StorageState, StorageState);
        return variables;

        void AddIfSet(string name, string? value)
        {
            if (value is not null)
                variables[name] = value;
        }
    }

    /// <param name="get">Returns a variable's value, or <see langword="null"/> if it is not set.</param>
    /// <exception cref="InvalidRecorderEnvironmentException">The message names every invalid variable.</exception>
    public static RecorderEnvironment Read(Func<string, string?> get)
    {
        var faults = new List<string>();
        var environment = new RecorderEnvironment
        {
            SessionId = Required<SessionId>(Names.SessionId),
            UserId = Required<UserId>(Names.UserId),
            MeetingUrl = RequiredUrl(Names.MeetingUrl),
            BotName = RequiredText(Names.BotName),
            RedisUrl = Text(Names.RedisUrl),
            StoragePath = Text(Names.StoragePath) ?? StorageLayout.RootInContainer,
            ChunkLength = Duration(Names.ChunkSeconds) ?? ChunkFormat.DefaultLength,
            Leave = ReadLeaveConditions(),
            TraceParent = Text(Names.TraceParent),
            OtlpEndpoint = Text(Names.OtlpEndpoint) is null ? null : RequiredUrl(Names.OtlpEndpoint),
            OtlpProtocol = Text(Names.OtlpProtocol),
            OtlpHeaders = Text(Names.OtlpHeaders),
            LocalhostIs = Text(Names.LocalhostIs),
            ChromiumSandbox = Flag(Names.ChromiumSandbox) ?? true,
            Browser = Word<BrowserKind>(Names.Browser) ?? BrowserKind.Headed,
            GenerateAudio = Flag(Names.GenerateAudio) ?? false,
            RecordTracks = Flag(Names.RecordTracks) ?? false,
            SelectorPack = Text(Names.SelectorPack),
            StorageState = Text(Names.StorageState),
        };
        return faults.Count == 0 ? environment : throw new InvalidRecorderEnvironmentException(faults);

        LeaveConditions ReadLeaveConditions()
        {
            var defaults = new LeaveConditions();
            return new()
            {
                WaitingRoomTimeout = Duration(Names.WaitingRoomTimeout) ?? defaults.WaitingRoomTimeout,
                NobodyJoinedTimeout = Duration(Names.NobodyJoinedTimeout) ?? defaults.NobodyJoinedTimeout,
                EveryoneLeftTimeout = Duration(Names.EveryoneLeftTimeout) ?? defaults.EveryoneLeftTimeout,
                SilenceTimeout = Duration(Names.SilenceTimeout) ?? defaults.SilenceTimeout,
                MaxDuration = Duration(Names.MaxDuration) ?? defaults.MaxDuration,
            };
        }

        string? Text(string name) => get(name) is { Length: > 0 } text ? text : null;

        T Required<T>(string name) where T : struct, IParsable<T>
        {
            if (!T.TryParse(Text(name), provider: null, out var value))
                Fault(name, "must be a valid id");
            return value;
        }

        string RequiredText(string name)
        {
            if (Text(name) is { } text)
                return text;
            Fault(name, "is required");
            return string.Empty;
        }

        Uri RequiredUrl(string name)
        {
            if (Uri.TryCreate(Text(name), UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
                return url;
            Fault(name, "must be an http or https URL");
            return new Uri("about:blank");
        }

        TimeSpan? Duration(string name)
        {
            if (Text(name) is not { } text)
                return null;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
                return TimeSpan.FromSeconds(seconds);
            Fault(name, "must be a positive number of seconds");
            return null;
        }

        bool? Flag(string name)
        {
            if (Text(name) is not { } text)
                return null;
            if (bool.TryParse(text, out var flag))
                return flag;
            Fault(name, "must be true or false");
            return null;
        }

        T? Word<T>(string name) where T : struct, Enum
        {
            if (Text(name) is not { } text)
                return null;
            if (WireWord.TryParse(text, out T value))
                return value;
            Fault(name, $"must be {WireWord.Choice<T>()}");
            return null;
        }

        void Fault(string name, string message) => faults.Add($"{name} {message} (it is {(get(name) is { } value ? $"'{value}'" : "not set")})");
    }

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>Names of the variables.</summary>
    public static class Names
    {
        public const string SessionId = "RECORDING_SESSION_ID";
        public const string UserId = "USER_ID";
        public const string MeetingUrl = "MEETING_URL";
        public const string BotName = "BOT_NAME";
        public const string RedisUrl = "REDIS_URL";
        public const string StoragePath = "STORAGE_PATH";
        public const string ChunkSeconds = "CHUNK_SECONDS";
        public const string WaitingRoomTimeout = "LEAVE_WAITING_ROOM_TIMEOUT";
        public const string NobodyJoinedTimeout = "LEAVE_NOBODY_JOINED_TIMEOUT";
        public const string EveryoneLeftTimeout = "LEAVE_EVERYONE_LEFT_TIMEOUT";
        public const string SilenceTimeout = "LEAVE_SILENCE_TIMEOUT";
        public const string MaxDuration = "LEAVE_MAX_DURATION";
        public const string TraceParent = "TRACEPARENT";
        public const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
        public const string OtlpProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
        public const string OtlpHeaders = "OTEL_EXPORTER_OTLP_HEADERS";
        public const string ServiceName = "OTEL_SERVICE_NAME";
        public const string ResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES";
        public const string LocalhostIs = "LOCALHOST_IS";
        public const string ChromiumSandbox = "CHROMIUM_SANDBOX";
        public const string Browser = "BROWSER";
        public const string GenerateAudio = "GENERATE_AUDIO";
        public const string RecordTracks = "RECORD_TRACKS";
        public const string SelectorPack = "SELECTOR_PACK";
        public const string StorageState = "STORAGE_STATE";
    }
}

/// <summary>A recorder was started with an invalid environment.</summary>
public sealed class InvalidRecorderEnvironmentException(IReadOnlyList<string> faults)
    : Exception($"The recorder cannot start: {string.Join("; ", faults)}.")
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>The browser that a recorder opens the meeting with.</summary>
public enum BrowserKind
{
    /// <summary>Chromium with a window, on a virtual display.</summary>
    Headed,

    /// <summary>Chromium's headless shell. It needs less memory and no display, but platforms can recognize it by its user agent.</summary>
    HeadlessShell,
}
