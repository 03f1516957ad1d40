using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Access;

/// <summary>What a key reaches.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<AccessRole>))]
internal enum AccessRole
{
    /// <summary>The bots of the key's user.</summary>
    User,

    /// <summary>Everybody's bots, and the keys.</summary>
    Admin,
}

/// <summary>A key, as it is kept: of its secret, the hash.</summary>
/// <param name="Id">The part of it that is no secret.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="UserId">Whose bots it reaches, and whose those are that it sends.</param>
/// <param name="Role">How far it reaches.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Hash">SHA-256, in Base64: a secret of 256 random bits needs no slower one.</param>
internal sealed record AccessKey(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt, byte[] Hash)
{
    public const int MaxNameLength = 64;

    public static bool IsName(string? text) => text is { Length: > 0 and <= MaxNameLength } && !text.Any(char.IsControl) && text.Trim() == text;
}

/// <summary>A browser that has shown a key and was given a cookie for it.</summary>
/// <param name="Id">The part of the cookie that is no secret.</param>
/// <param name="KeyId">The key; the session ends with it.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="Hash">As of a key.</param>
internal sealed record AccessSession(string Id, string KeyId, DateTimeOffset ExpiresAt, byte[] Hash);
