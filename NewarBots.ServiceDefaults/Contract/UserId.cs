using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>The owner of a bot: 1 to 64 of <c>a-z 0-9 - _</c>. It is part of the recordings' paths.</summary>
[JsonConverter(typeof(UserIdJsonConverter))]
public readonly record struct UserId : IParsable<UserId>
{
    public const int MaxLength = 64;

    private readonly string? _value;

    private UserId(string value) => _value = value;

    public static UserId Default { get; } = new("default");

    public static UserId Parse(string s) => Parse(s, provider: null);

    public static UserId Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{s}' is not a user id.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out UserId result)
    {
        var valid = s is { Length: > 0 and <= MaxLength }
            && s.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');
        result = valid ? new UserId(s!) : default;
        return valid;
    }

    public override string ToString() => _value ?? Default.ToString();

    internal sealed class UserIdJsonConverter : JsonConverter<UserId>
    {
        public override UserId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), provider: null, out var id) ? id : throw new JsonException("Not a user id.");

        public override void Write(Utf8JsonWriter writer, UserId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
