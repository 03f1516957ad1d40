using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>The access that a key grants.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<AccessRole>))]
internal enum AccessRole
{
    /// <summary>The bots of the key's user.</summary>
    User,

    /// <summary>All bots, and the keys.</summary>
    Admin,
}

/// <summary>A stored key, with the hash of its secret.</summary>
/// <param name="Id">The part of the key that is not secret.</param>
/// <param name="Name">Its label.</param>
/// <param name="UserId">The user whose bots it can reach and creates.</param>
/// <param name="Role">The access that it grants.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="Hash">SHA-256, in Base64. A secret of 256 random bits needs no slower hash.</param>
internal sealed record AccessKey(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt, byte[] Hash)
{
    public const int MaxNameLength = 64;

    public static bool IsName(string? text) => text is { Length: > 0 and <= MaxNameLength } && NameText.FindFault(text) is null && text.Trim() == text;
}

/// <summary>A browser session, created from a key.</summary>
/// <param name="Id">The part of the cookie that is not secret.</param>
/// <param name="KeyId">The key. Revoking it ends the session.</param>
/// <param name="ExpiresAt">When the session expires.</param>
/// <param name="Hash">SHA-256 of the cookie, in Base64.</param>
internal sealed record AccessSession(string Id, string KeyId, DateTimeOffset ExpiresAt, byte[] Hash);
