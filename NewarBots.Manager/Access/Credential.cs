using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace NewarBots.Manager.Access;

/// <summary>
/// What a caller shows: <c>nwb_{id}_{secret}</c>, 12 and 64 hexadecimal digits. The beginning is for those who search logs and
/// repositories for secrets.
/// </summary>
/// <param name="Id">Under which it is looked up.</param>
/// <param name="Text">All of it.</param>
internal readonly record struct Credential(string Id, string Text)
{
    private const string Prefix = "nwb_";
    private const int IdBytes = 6;
    private const int SecretBytes = 32;
    private const int IdEnd = 4 + 2 * IdBytes;
    private const int Length = IdEnd + 1 + 2 * SecretBytes;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Of an unknown one: comparing takes as long.</summary>
    private static readonly byte[] Nobodys = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    public byte[] Hash => SHA256.HashData(Encoding.ASCII.GetBytes(Text));

    public static Credential New()
    {
        var id = RandomNumberGenerator.GetHexString(2 * IdBytes, lowercase: true);
        return new(id, $"{Prefix}{id}_{RandomNumberGenerator.GetHexString(2 * SecretBytes, lowercase: true)}");
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Credential credential)
    {
        var isOne = text is { Length: Length }
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text[IdEnd] == '_'
            && IsHex(text.AsSpan(Prefix.Length, 2 * IdBytes))
            && IsHex(text.AsSpan(IdEnd + 1));
        credential = isOne ? new(text![Prefix.Length..IdEnd], text) : default;
        return isOne;
    }

    /// <param name="hash">What is kept under its id; <see langword="null"/> where there is nothing.</param>
    public bool Matches(byte[]? hash) => CryptographicOperations.FixedTimeEquals(Hash, hash ?? Nobodys) && hash is not null;

    /// <summary>Not the secret.</summary>
    public override string ToString() => $"{Prefix}{Id}_…";

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Digits);
}
