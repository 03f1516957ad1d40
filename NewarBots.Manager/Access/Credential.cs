using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace NewarBots.Manager.Access;

/// <summary>
/// The text of a key or session: <c>nwb_{id}_{secret}</c>, with 12 and 64 hexadecimal digits. Secret scanners recognize the prefix.
/// </summary>
/// <param name="Id">The id for lookups.</param>
/// <param name="Text">The whole text.</param>
internal readonly record struct Credential(string Id, string Text)
{
    private const string Prefix = "nwb_";
    private const int IdBytes = 6;
    private const int SecretBytes = 32;
    private const int IdEnd = 4 + 2 * IdBytes;
    private const int Length = IdEnd + 1 + 2 * SecretBytes;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Compared with unknown credentials, so that they take as long as known ones.</summary>
    private static readonly byte[] UnknownHash = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    public byte[] Hash => SHA256.HashData(Encoding.ASCII.GetBytes(Text));

    public static Credential New()
    {
        var id = RandomNumberGenerator.GetHexString(2 * IdBytes, lowercase: true);
        return new(id, $"{Prefix}{id}_{RandomNumberGenerator.GetHexString(2 * SecretBytes, lowercase: true)}");
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Credential credential)
    {
        var isValid = text is { Length: Length }
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text[IdEnd] == '_'
            && IsHex(text.AsSpan(Prefix.Length, 2 * IdBytes))
            && IsHex(text.AsSpan(IdEnd + 1));
        credential = isValid ? new(text![Prefix.Length..IdEnd], text) : default;
        return isValid;
    }

    /// <param name="hash">The stored hash; <see langword="null"/> if the id is unknown.</param>
    public bool Matches(byte[]? hash) => CryptographicOperations.FixedTimeEquals(Hash, hash ?? UnknownHash) && hash is not null;

    /// <summary>Omits the secret.</summary>
    public override string ToString() => $"{Prefix}{Id}_…";

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Digits);
}
