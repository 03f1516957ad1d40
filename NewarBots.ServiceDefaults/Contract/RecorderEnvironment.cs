using System.Globalization;

namespace NewarBots.Contract;

/// <summary>
/// The only door from the manager into the recorder: everything a recorder is told, as its environment variables. The manager
/// writes it with <see cref="ToVariables"/>, the recorder reads it back with <see cref="Read"/>.
/// </summary>
public sealed record RecorderEnvironment
{
    public required SessionId SessionId { get; init; }

    public required UserId UserId { get; init; }

    public required Uri MeetingUrl { get; init; }

    public required string BotName { get; init; }

    /// <summary>
    /// StackExchange.Redis configuration as seen from the container, the bot's own ACL user and password included;
    /// <see langword="null"/> records without Redis.
    /// </summary>
    public string? RedisUrl { get; init; }

    /// <summary>The storage folder inside the container; <see cref="StorageLayout"/> tells the rest.</summary>
    public string StoragePath { get; init; } = StorageLayout.RootInContainer;

    public TimeSpan ChunkLength { get; init; } = ChunkFormat.DefaultLength;

    public LeaveConditions Leave { get; init; } = new();

    /// <summary>W3C trace context of the launch, so that both processes write one trace.</summary>
    public string? TraceParent { get; init; }

    public Uri? OtlpEndpoint { get; init; }

    /// <summary><c>grpc</c> or <c>http/protobuf</c>.</summary>
    public string? OtlpProtocol { get; init; }

    /// <summary>Headers for the OTLP endpoint, <c>key=value</c> with commas between.</summary>
    public string? OtlpHeaders { get; init; }

    /// <summary>
    /// Where <c>localhost</c> in a meeting's URL really is, as seen from the container; <see langword="null"/>: here.
    /// The page keeps its address (and stays a secure context), only the connection goes there.
    /// </summary>
    public string? LocalhostIs { get; init; }

    /// <summary>Off where a host forbids user namespaces. Everything else keeps Chromium's own sandbox on.</summary>
    public bool ChromiumSandbox { get; init; } = true;

    public BrowserKind Browser { get; init; }

    /// <summary>No browser and no meeting: the recorder makes its audio itself, for rehearsals of many bots at once.</summary>
    public bool GenerateAudio { get; init; }

    /// <summary>Beside the mix, one file for each track that is heard.</summary>
    public bool RecordTracks { get; init; }

    /// <summary>The file of the <see cref="Contract.SelectorPack"/>, inside the container; <see langword="null"/>: the one that is built in.</summary>
    public string? SelectorPack { get; init; }

    /// <summary>The file of the <see cref="Contract.StorageState"/>, inside the container; <see langword="null"/>: a guest without account.</summary>
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
        AddWhereSet(Names.SilenceTimeout, Leave.SilenceTimeout is { } silence ? Seconds(silence) : null);
        AddWhereSet(Names.RedisUrl, RedisUrl);
        AddWhereSet(Names.TraceParent, TraceParent);
        AddWhereSet(Names.OtlpEndpoint, OtlpEndpoint?.AbsoluteUri);
        AddWhereSet(Names.OtlpProtocol, OtlpProtocol);
        AddWhereSet(Names.OtlpHeaders, OtlpHeaders);
        AddWhereSet(Names.LocalhostIs, LocalhostIs);
        AddWhereSet(Names.ChromiumSandbox, ChromiumSandbox ? null : "false");
        AddWhereSet(Names.Browser, Browser is BrowserKind.Headed ? null : WireWord.Of(Browser));
        AddWhereSet(Names.GenerateAudio, GenerateAudio ? "true" : null);
        AddWhereSet(Names.RecordTracks, RecordTracks ? "true" : null);
        AddWhereSet(Names.SelectorPack, SelectorPack);
        AddWhereSet(Names.StorageState, StorageState);
        return variables;

        void AddWhereSet(string name, string? value)
        {
            if (value is not null)
                variables[name] = value;
        }
    }

    /// <param name="get">Returns a variable's value, or <see langword="null"/> where it is not set.</param>
    /// <exception cref="InvalidRecorderEnvironmentException">Names every variable at fault at once.</exception>
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

        void Fault(string name, string what) => faults.Add($"{name} {what} (it is {(get(name) is { } value ? $"'{value}'" : "not set")})");
    }

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>The variables' names.</summary>
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
        public const string LocalhostIs = "LOCALHOST_IS";
        public const string ChromiumSandbox = "CHROMIUM_SANDBOX";
        public const string Browser = "BROWSER";
        public const string GenerateAudio = "GENERATE_AUDIO";
        public const string RecordTracks = "RECORD_TRACKS";
        public const string SelectorPack = "SELECTOR_PACK";
        public const string StorageState = "STORAGE_STATE";
    }
}

/// <summary>A recorder was started with an environment that it cannot work with.</summary>
public sealed class InvalidRecorderEnvironmentException(IReadOnlyList<string> faults)
    : Exception($"The recorder cannot start: {string.Join("; ", faults)}.")
{
    public IReadOnlyList<string> Faults { get; } = faults;
}
