using System.Security.Claims;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Access;

/// <summary>The authenticated caller of a request. Handlers take it as a parameter.</summary>
/// <param name="Key">The caller's key; <see langword="null"/> for local callers while no keys exist.</param>
/// <param name="UserId">The user of bots that the caller creates.</param>
/// <param name="Role">The access that the caller has.</param>
internal sealed record Caller(AccessKey? Key, UserId UserId, AccessRole Role)
{
    /// <summary>A local caller while no keys exist.</summary>
    public static Caller Local { get; } = new(Key: null, UserId.Default, AccessRole.Admin);

    /// <summary>The session, if the caller was authenticated by cookie.</summary>
    public AccessSession? Session { get; init; }

    public bool IsAdmin => Role is AccessRole.Admin;

    public bool CanReach(UserId user) => IsAdmin || user == UserId;

    /// <summary>The validation message for a userId that the caller cannot reach.</summary>
    public string OtherUserFault => $"must be {UserId}, the user of the key";

    /// <summary>The user whose items a list request asks for.</summary>
    /// <param name="userId">The request's parameter, if given.</param>
    /// <returns>The user, <see langword="null"/> for all users; or the parameter's fault.</returns>
    public (UserId? User, string? Fault) ResolveUser(string? userId)
    {
        if (userId is null)
            return (IsAdmin ? null : UserId, null);
        if (!UserId.TryParse(userId, provider: null, out var user))
            return (null, ApiProblems.UserIdFault);
        return CanReach(user) ? (user, null) : (null, OtherUserFault);
    }

    /// <summary>Reads a request's <c>userId</c>. Only admins may name another user than their own.</summary>
    public UserId ReadUserId(JsonElement value, FaultList faults)
    {
        if (!UserId.TryParse(RequestBody.ReadString(value, "userId", faults), provider: null, out var user))
            faults.Add("userId", ApiProblems.UserIdFault);
        else if (!CanReach(user))
            faults.Add("userId", OtherUserFault);
        return user;
    }

    public static Caller Of(AccessKey key) => new(key, key.UserId, key.Role);

    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context)
        ?? throw new InvalidOperationException($"{context.Request.Path} allows anonymous requests but takes a Caller."));

    public static Caller? Of(HttpContext context) => (context.User.Identity as CallerIdentity)?.Caller;

    /// <summary>The caller of a request that has been authenticated.</summary>
    public static Caller Of(ClaimsPrincipal user) => (user.Identity as CallerIdentity)?.Caller
        ?? throw new InvalidOperationException("The request is anonymous.");

    public ClaimsPrincipal ToPrincipal(string scheme) => new(new CallerIdentity(this, scheme));

    private sealed class CallerIdentity(Caller caller, string scheme)
        : ClaimsIdentity(caller.IsAdmin ? [new(ClaimTypes.Role, Roles.Admin)] : [], scheme)
    {
        public Caller Caller => caller;
    }
}
