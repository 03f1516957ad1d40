using System.Net;
using System.Text.Encodings.Web;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace NewarBots.Manager.Access;

/// <summary>
/// Finds out who asks: by the key in <c>X-API-Key</c> or <c>Authorization: Bearer</c>, else by the session's cookie; where there
/// are no keys, by being on this machine.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder,
    KeyFile keys, WrongKeys wrongKeys, IOptions<AccessOptions> access, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";
    public const string HeaderName = "X-API-Key";
    private const string BearerPrefix = "Bearer ";

    /// <summary>Somebody has to mend it.</summary>
    private const string UnavailableRetryAfterSeconds = "60";

    private static readonly string[] ForwardedHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"];

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
        FindCaller() is { } caller
            ? AuthenticateResult.Success(new(caller.ToPrincipal(Scheme.Name), Scheme.Name))
            : AuthenticateResult.NoResult());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refuse().ExecuteAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => AccessProblems.NotAllowed().ExecuteAsync(Context);

    private Caller? FindCaller() => keys.State switch
    {
        AccessState.Anonymous => IsOnThisMachine() ? Caller.OfThisMachine : null,
        AccessState.Keyed keyed when Shown(Request) is { } shown => Credential.TryParse(shown, out var key) ? keyed.Find(key) : null,
        AccessState.Keyed keyed => Credential.TryParse(Request.Cookies[SessionCookie.Name], out var session) ? keyed.FindSession(session, time.GetUtcNow()) : null,
        _ => null,
    };

    private ProblemHttpResult Refuse()
    {
        switch (keys.State)
        {
            case AccessState.Anonymous:
                return AccessProblems.LocalOnly();
            case AccessState.Unavailable:
                Response.Headers.RetryAfter = UnavailableRetryAfterSeconds;
                return AccessProblems.KeysUnreadable();
        }

        if (Shown(Request) is null && Request.Cookies[SessionCookie.Name] is null)
        {
            Response.Headers.WWWAuthenticate = "Bearer";
            return AccessProblems.KeyRequired();
        }

        using var told = wrongKeys.Tell(Client);
        if (!told.IsAcquired)
        {
            Response.Headers.RetryAfter = RateLimits.RetryAfter(told);
            return AccessProblems.TooManyRequests();
        }

        Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return AccessProblems.KeyNotValid();
    }

    /// <returns>What the caller shows in a header, which goes before the cookie; a proxy's own Authorization is none.</returns>
    public static string? Shown(HttpRequest request) =>
        request.Headers.TryGetValue(HeaderName, out var key) ? key.ToString()
        : request.Headers[HeaderNames.Authorization].ToString() is var authorization && authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? authorization[BearerPrefix.Length..].Trim()
        : null;

    /// <summary>
    /// Whom a proxy on this machine names last: what stands before that, the client may have said itself. Read here and not by ASP.NET Core's
    /// middleware, which would put that address in the place of the connection's own, by which is known who is on this machine: a client's
    /// "127.0.0.1" that a proxy hands on unread would let anybody in where there are no keys.
    /// </summary>
    private IPAddress? Client =>
        IsLoopback(Context.Connection.RemoteIpAddress) && IPAddress.TryParse(Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1], out var client)
            ? client
            : Context.Connection.RemoteIpAddress;

    /// <summary>
    /// Who comes through a proxy may be anywhere, and a page in a browser here may have let a name of its own point to this machine
    /// (DNS rebinding). What is to be let in all the same has its name among the settings.
    /// </summary>
    private bool IsOnThisMachine() =>
        IsLoopback(Context.Connection.RemoteIpAddress)
        && IsLoopback(Context.Connection.LocalIpAddress)
        && (access.Value.HostNames.Contains(Request.Host.Host, StringComparer.OrdinalIgnoreCase)
            || (IsThisMachine(Request.Host.Host) && !ForwardedHeaders.Any(Request.Headers.ContainsKey)));

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>There is no address where a request comes by a Unix socket, or within the process.</summary>
    private static bool IsLoopback(IPAddress? address) => address is null || IPAddress.IsLoopback(address);
}

/// <summary>
/// How often an address is told that a key is wrong before it is told to wait. A right key is never held up by it: whoever tries
/// keys from behind the same address locks nobody out.
/// </summary>
internal sealed class WrongKeys(IOptions<AccessOptions> access) : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress?> _limiter = PartitionedRateLimiter.Create<IPAddress?, IPAddress>(address =>
        RateLimitPartition.GetTokenBucketLimiter(address ?? IPAddress.None, _ => RateLimits.Bucket(access.Value.WrongKeysPerMinute, access.Value.WrongKeysPerMinute)));

    public RateLimitLease Tell(IPAddress? address) => _limiter.AttemptAcquire(address);

    public void Dispose() => _limiter.Dispose();
}
