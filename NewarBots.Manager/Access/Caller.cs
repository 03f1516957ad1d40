using System.Security.Claims;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Access;

/// <summary>Who asks, and how far they reach. A handler that takes one as a parameter gets that of its request.</summary>
/// <param name="Key">By which they were let in; <see langword="null"/> for whoever is on this machine where there are no keys.</param>
/// <param name="UserId">Whose bots those are that they send.</param>
/// <param name="Role">How far they reach.</param>
internal sealed record Caller(AccessKey? Key, UserId UserId, AccessRole Role)
{
    /// <summary>Whoever is on this machine, where there are no keys.</summary>
    public static Caller OfThisMachine { get; } = new(Key: null, UserId.Default, AccessRole.Admin);

    /// <summary>Where it came by a cookie.</summary>
    public AccessSession? Session { get; init; }

    public bool IsAdmin => Role is AccessRole.Admin;

    public bool Reaches(UserId user) => IsAdmin || user == UserId;

    /// <summary>What is wrong with another user's id.</summary>
    public string NotYours => $"must be {UserId}, whose the key is";

    /// <summary>Whose bots are meant.</summary>
    /// <param name="userId">As it was asked for, where it was.</param>
    /// <returns>Only this user's; <see langword="null"/> for all. Or what is wrong with it.</returns>
    public (UserId? User, string? Fault) Among(string? userId)
    {
        if (userId is null)
            return (IsAdmin ? null : UserId, null);
        if (!UserId.TryParse(userId, provider: null, out var user))
            return (null, ApiProblems.UserIdFault);
        return Reaches(user) ? (user, null) : (null, NotYours);
    }

    /// <summary>The user that a request's <c>userId</c> names: the caller's own, unless the caller is an admin.</summary>
    public UserId ReadUserId(JsonElement value, FaultList faults)
    {
        if (!UserId.TryParse(RequestBody.ReadString(value, "userId", faults), provider: null, out var user))
            faults.Add("userId", ApiProblems.UserIdFault);
        else if (!Reaches(user))
            faults.Add("userId", NotYours);
        return user;
    }

    public static Caller With(AccessKey key) => new(key, key.UserId, key.Role);

    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context)
        ?? throw new InvalidOperationException($"{context.Request.Path} is open to everybody and asks who it is."));

    public static Caller? Of(HttpContext context) => (context.User.Identity as CallerIdentity)?.Caller;

    public ClaimsPrincipal ToPrincipal(string scheme) => new(new CallerIdentity(this, scheme));

    private sealed class CallerIdentity(Caller caller, string scheme)
        : ClaimsIdentity(caller.IsAdmin ? [new(ClaimTypes.Role, Roles.Admin)] : [], scheme)
    {
        public Caller Caller => caller;
    }
}
