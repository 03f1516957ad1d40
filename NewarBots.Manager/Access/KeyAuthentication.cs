using System.Net;
using System.Text.Encodings.Web;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace NewarBots.Manager.Access;

/// <summary>
/// Authenticates callers by the key in <c>X-API-Key</c> or <c>Authorization: Bearer</c>, or else by the session cookie. While no keys exist, local
/// callers are allowed.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder,
    KeyFile keys, InvalidKeyLimiter invalidKeys, IOptions<AccessOptions> access, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";
    public const string HeaderName = "X-API-Key";
    private const string BearerPrefix = "Bearer ";

    /// <summary>An operator has to repair the key file, so earlier retries are pointless.</summary>
    private const string UnavailableRetryAfterSeconds = "60";

    private static readonly string[] ForwardedHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"];

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
        FindCaller() is { } caller
            ? AuthenticateResult.Success(new(caller.ToPrincipal(Scheme.Name), Scheme.Name))
            : AuthenticateResult.NoResult());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Reject().ExecuteAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => AccessProblems.NotAllowed().ExecuteAsync(Context);

    private Caller? FindCaller() => keys.State switch
    {
        AccessState.Anonymous => IsLocalRequest() ? Caller.Local : null,
        AccessState.Keyed keyed when KeyOf(Request) is { } text => Credential.TryParse(text, out var key) ? keyed.Find(key) : null,
        AccessState.Keyed keyed => Credential.TryParse(Request.Cookies[SessionCookie.Name], out var session) ? keyed.FindSession(session, time.GetUtcNow()) : null,
        _ => null,
    };

    private ProblemHttpResult Reject()
    {
        switch (keys.State)
        {
            case AccessState.Anonymous:
                return AccessProblems.LocalOnly();
            case AccessState.Unavailable:
                Response.Headers.RetryAfter = UnavailableRetryAfterSeconds;
                return AccessProblems.KeysUnreadable();
        }

        if (KeyOf(Request) is null && Request.Cookies[SessionCookie.Name] is null)
        {
            Response.Headers.WWWAuthenticate = "Bearer";
            return AccessProblems.KeyRequired();
        }

        using var lease = invalidKeys.Acquire(ClientAddress);
        if (!lease.IsAcquired)
        {
            Response.Headers.RetryAfter = RateLimits.RetryAfter(lease);
            return AccessProblems.TooManyRequests();
        }

        Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return AccessProblems.KeyNotValid();
    }

    /// <returns>The key in a header, which has priority over the cookie. Other Authorization schemes belong to proxies.</returns>
    public static string? KeyOf(HttpRequest request) =>
        request.Headers.TryGetValue(HeaderName, out var key) ? key.ToString()
        : request.Headers[HeaderNames.Authorization].ToString() is var authorization && authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? authorization[BearerPrefix.Length..].Trim()
        : null;

    /// <summary>
    /// The last address in X-Forwarded-For, if a local proxy sent it; clients can forge the others. ASP.NET Core's middleware is not used because it
    /// replaces the connection's address: a forged 127.0.0.1 would then pass as a local request while no keys exist.
    /// </summary>
    private IPAddress? ClientAddress =>
        IsLoopback(Context.Connection.RemoteIpAddress) && IPAddress.TryParse(Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1], out var client)
            ? client
            : Context.Connection.RemoteIpAddress;

    /// <summary>
    /// Proxied requests may come from anywhere, and a web page may point its own host name at localhost (DNS rebinding). Both are rejected
    /// unless Access:HostNames lists the host name.
    /// </summary>
    private bool IsLocalRequest() =>
        IsLoopback(Context.Connection.RemoteIpAddress)
        && IsLoopback(Context.Connection.LocalIpAddress)
        && (access.Value.HostNames.Contains(Request.Host.Host, StringComparer.OrdinalIgnoreCase)
            || (IsLocalName(Request.Host.Host) && !ForwardedHeaders.Any(Request.Headers.ContainsKey)));

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Requests over a Unix socket or within the process have no address.</summary>
    private static bool IsLoopback(IPAddress? address) => address is null || IPAddress.IsLoopback(address);
}

/// <summary>
/// Limits how many invalid keys per address are answered with 401 before 429. Valid keys are never limited, so an attacker who guesses keys cannot lock out
/// other clients at the same address.
/// </summary>
internal sealed class InvalidKeyLimiter(IOptions<AccessOptions> access) : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress?> _limiter = PartitionedRateLimiter.Create<IPAddress?, IPAddress>(address =>
        RateLimitPartition.GetTokenBucketLimiter(address ?? IPAddress.None, _ => RateLimits.Bucket(access.Value.WrongKeysPerMinute, access.Value.WrongKeysPerMinute)));

    public RateLimitLease Acquire(IPAddress? address) => _limiter.AttemptAcquire(address);

    public void Dispose() => _limiter.Dispose();
}
