using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// The id of one bot: one attempt to record one meeting. Lower-case letters and digits only, so that it is safe in a path, a
/// container name, a label and a Redis key; made from a version 7 GUID, so that ids sort by the time they were made.
/// </summary>
[JsonConverter(typeof(SessionIdJsonConverter))]
public readonly record struct SessionId : IParsable<SessionId>, IComparable<SessionId>
{
    public const int MaxLength = 64;

    private readonly string? _value;

    private SessionId(string value) => _value = value;

    private string Value => _value ?? throw new InvalidOperationException("A default SessionId names no bot.");

    /// <summary>
    /// Version 7 alone leaves the order within one millisecond to chance; the fraction of the millisecond goes where RFC 9562
    /// (section 6.2, method 3) has room for it, so that bots that arrive in one burst keep their order.
    /// </summary>
    public static SessionId New(TimeProvider time)
    {
        var now = time.GetUtcNow();
        var guid = Guid.CreateVersion7(now).ToString("N");
        var fraction = now.Ticks % TimeSpan.TicksPerMillisecond * 0x1000 / TimeSpan.TicksPerMillisecond;
        return new($"{guid[..13]}{fraction:x3}{guid[16..]}");
    }

    /// <summary>When it was made, to the millisecond; <see langword="null"/> where it is none of <see cref="New"/>.</summary>
    public DateTimeOffset? MadeAt =>
        Guid.TryParseExact(Value, "N", out var guid) && guid.Version == 7
            ? DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(Value[..12], 16))
            : null;

    public static SessionId Parse(string s) => Parse(s, provider: null);

    public static SessionId Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{s}' is no session id.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out SessionId result)
    {
        var valid = s is { Length: > 0 and <= MaxLength } && s.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));
        result = valid ? new SessionId(s!) : default;
        return valid;
    }

    public int CompareTo(SessionId other) => string.CompareOrdinal(Value, other.Value);

    public static bool operator <(SessionId left, SessionId right) => left.CompareTo(right) < 0;

    public static bool operator >(SessionId left, SessionId right) => left.CompareTo(right) > 0;

    public static bool operator <=(SessionId left, SessionId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SessionId left, SessionId right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value;

    internal sealed class SessionIdJsonConverter : JsonConverter<SessionId>
    {
        public override SessionId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), provider: null, out var id) ? id : throw new JsonException("Not a session id.");

        public override void Write(Utf8JsonWriter writer, SessionId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
