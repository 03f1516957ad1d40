using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// The id of one bot, which is one attempt to record one meeting. It has only lower-case letters and digits, so it is safe in a path,
/// container name, label and Redis key. New ids are version 7 GUIDs, so they sort by creation time.
/// </summary>
[JsonConverter(typeof(SessionIdJsonConverter))]
public readonly record struct SessionId : IParsable<SessionId>, IComparable<SessionId>
{
    public const int MaxLength = 64;

    private readonly string? _value;

    private SessionId(string value) => _value = value;

    private string Value => _value ?? throw new InvalidOperationException("A default SessionId has no value.");

    /// <summary>
    /// A version 7 GUID alone is random within a millisecond. The fraction of the millisecond goes into the bits that RFC 9562 (section 6.2,
    /// method 3) reserves for it, so that bots created in one burst keep their order.
    /// </summary>
    public static SessionId New(TimeProvider time)
    {
        var now = time.GetUtcNow();
        var guid = Guid.CreateVersion7(now).ToString("N");
        var fraction = now.Ticks % TimeSpan.TicksPerMillisecond * 0x1000 / TimeSpan.TicksPerMillisecond;
        return new($"{guid[..13]}{fraction:x3}{guid[16..]}");
    }

    /// <summary>Creation time in milliseconds; <see langword="null"/> if the id is not from <see cref="New"/>.</summary>
    public DateTimeOffset? MadeAt =>
        Guid.TryParseExact(Value, "N", out var guid) && guid.Version == 7
            ? DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(Value[..12], 16))
            : null;

    public static SessionId Parse(string s) => Parse(s, provider: null);

    public static SessionId Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{s}' is not a session id.");

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
