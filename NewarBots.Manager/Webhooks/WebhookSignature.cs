using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// Signatures by the <see href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
/// Webhooks</see> specification: HMAC-SHA256 of <c>id.timestamp.body</c>.
/// </summary>
internal static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    private const string SecretPrefix = "whsec_";

    /// <summary>The specification requires 24 to 64.</summary>
    private const int SecretBytes = 32;

    /// <summary>A random secret in Base64. Secret scanners recognize its prefix.</summary>
    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <param name="secrets">Each one adds a signature.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="sentAt">The attempt's time. Receivers use it to reject replayed messages.</param>
    /// <param name="body">The body exactly as sent.</param>
    /// <returns>The signatures, each as <c>v1,</c> and Base64, separated by spaces.</returns>
    public static string Sign(IEnumerable<string> secrets, string id, DateTimeOffset sentAt, string body)
    {
        var content = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{sentAt.ToUnixTimeSeconds()}.{body}"));
        return string.Join(' ', secrets.Select(secret =>
            $"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[SecretPrefix.Length..]), content))}"));
    }
}
