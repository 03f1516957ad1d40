using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;

namespace NewarBots.Manager.Access;

/// <summary>Manage keys (admins only) and browser sessions.</summary>
internal static class AccessEndpoints
{
    private const int MaxBodyBytes = 4096;

    /// <summary>One working day. Then the page asks for a key again.</summary>
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    public static void MapAccess(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/keys").WithTags("Keys").RequireAuthorization(AccessRegistration.AdminPolicy).RejectUnknownParameters();
        keys.MapPost("", AddAsync).WithName("AddKey").Accepts<CreateKeyRequest>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.NotAllowed, ProblemTypes.RequestTimeout, ProblemTypes.FirstKeyByCommand, ProblemTypes.UnsupportedMediaType,
            ProblemTypes.ManagerBusy);
        keys.MapGet("", List).WithName("ListKeys").WithProblems(ProblemTypes.NotAllowed);
        keys.MapDelete("/{id}", RevokeAsync).WithName("RevokeKey").WithProblems(
            ProblemTypes.NotAllowed, ProblemTypes.KeyNotFound, ProblemTypes.ManagerBusy);

        var session = routes.MapGroup("/session").WithTags("Session").RejectUnknownParameters();
        session.MapPost("", SignInAsync).WithName("SignIn").WithProblems(ProblemTypes.ManagerBusy).WithResponseHeader(StatusCodes.Status200OK, "Set-Cookie", "The session.");
        session.MapGet("", GetSession).WithName("GetSession").WithProblems();
        session.MapDelete("", SignOutAsync).WithName("SignOut").WithProblems(ProblemTypes.ManagerBusy).WithResponseHeader(StatusCodes.Status204NoContent, "Set-Cookie", "Removes the session.");
    }

    /// <summary>Create a key</summary>
    /// <remarks>Creates a key for a user or another admin. The key itself is returned only once. The command `keys add` creates the first key.</remarks>
    /// <response code="201">The key.</response>
    public static async Task<Results<Created<NewKeyResponse>, ProblemHttpResult>> AddAsync(
        HttpRequest request, KeyFile file, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        // The first key controls all others, so only the owner of the storage folder may create it, not everyone on the machine.
        if (file.State is AccessState.Anonymous)
            return AccessProblems.FirstKeyByCommand();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        var (wantedKey, faults) = RequestBody.Read(body, CreateKeyRequest.Read);
        if (wantedKey is null)
            return ApiProblems.InvalidRequest(faults);

        var secret = Credential.New();
        var key = new AccessKey(secret.Id, wantedKey.Name, wantedKey.UserId, wantedKey.Role, time.GetUtcNow(), secret.Hash);
        await file.ChangeAsync(list => list.Add(key), cancellation);
        return TypedResults.Created(
            $"/keys/{key.Id}", new NewKeyResponse(key.Id, key.Name, key.UserId, key.Role, key.CreatedAt, secret.Text));
    }

    /// <summary>List keys</summary>
    /// <remarks>Returns all keys, without their secrets.</remarks>
    /// <response code="200">The keys.</response>
    public static Ok<KeyListResponse> List(KeyFile file) => TypedResults.Ok(
        new KeyListResponse([.. file.State is AccessState.Keyed keyed ? keyed.List.Keys.Select(KeyResponse.Of) : []]));

    /// <summary>Revoke a key</summary>
    /// <remarks>Takes effect at once and ends all its sessions and open streams.</remarks>
    /// <param name="id" example="1f0c3b5a7d92">The key's id.</param>
    /// <response code="204">The key is revoked.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(string id, KeyFile file, CancellationToken cancellation)
    {
        if (file.State is not AccessState.Keyed keyed || keyed.List.Keys.All(key => key.Id != id))
            return AccessProblems.KeyNotFound();
        await file.ChangeAsync(list => list.Keys.SingleOrDefault(key => key.Id == id) is { } key ? list.Remove(key) : list, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>Sign a browser in</summary>
    /// <remarks>Exchanges a key for a cookie that is valid for 12 hours, for requests whose headers a browser does not let pages set.</remarks>
    /// <response code="200">The session.</response>
    public static async Task<Ok<SessionResponse>> SignInAsync(
        Caller caller, KeyFile file, TimeProvider time, HttpContext context, CancellationToken cancellation)
    {
        // A session cannot create another one, or it could be extended forever.
        if (caller is not { Key: { } key, Session: null })
            return TypedResults.Ok(SessionResponse.Of(caller));
        var secret = Credential.New();
        var session = new AccessSession(secret.Id, key.Id, time.GetUtcNow() + SessionLength, secret.Hash);
        await file.ChangeAsync(list => list.Add(session, time.GetUtcNow()), cancellation);
        SessionCookie.Set(context, secret, session.ExpiresAt);
        return TypedResults.Ok(SessionResponse.Of(caller with { Session = session }));
    }

    /// <summary>Get the current session</summary>
    /// <remarks>Returns the key or session of the request. Without any keys, the caller is an admin without a key.</remarks>
    /// <response code="200">The caller.</response>
    public static Ok<SessionResponse> GetSession(Caller caller) => TypedResults.Ok(SessionResponse.Of(caller));

    /// <summary>Sign a browser out</summary>
    /// <remarks>Ends the session. The key stays valid.</remarks>
    /// <response code="204">The session has ended.</response>
    public static async Task<NoContent> SignOutAsync(Caller caller, KeyFile file, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Session is { } session)
            await file.ChangeAsync(list => list.Remove(session), cancellation);
        SessionCookie.Clear(context);
        return TypedResults.NoContent();
    }
}

/// <summary>A key to create.</summary>
/// <param name="Name">A label for lists of keys.</param>
/// <param name="UserId">The user whose bots it can reach. Default: default.</param>
/// <param name="Role">user: reaches the bots of its user. admin: reaches all bots, and the keys. Default: user.</param>
/// <example>{"name": "Notes of the sales team", "userId": "sales", "role": "user"}</example>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CreateKeyRequest(
    [property: MinLength(1), MaxLength(AccessKey.MaxNameLength)] string Name,
    [property: Optional] UserId UserId,
    [property: Optional] AccessRole Role)
{
    public static readonly string NameFault = $"must have 1 to {AccessKey.MaxNameLength} characters, no control or invisible characters, and no leading or trailing space";

    public static readonly string RoleFault = $"must be {WireWord.Choice<AccessRole>()}";

    /// <returns>The request, valid only if no faults were added.</returns>
    public static CreateKeyRequest Read(JsonElement root, FaultList faults)
    {
        var name = string.Empty;
        var user = UserId.Default;
        var role = AccessRole.User;
        foreach (var property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "name":
                    name = RequestBody.ReadString(property.Value, "name", faults) ?? string.Empty;
                    break;
                case "userId" when !UserId.TryParse(RequestBody.ReadString(property.Value, "userId", faults), provider: null, out user):
                    faults.Add("userId", ApiProblems.UserIdFault);
                    break;
                case "role" when !WireWord.TryParse(RequestBody.ReadString(property.Value, "role", faults), out role):
                    faults.Add("role", RoleFault);
                    break;
                case "userId" or "role":
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        if (!AccessKey.IsName(name))
            faults.Add("name", NameFault);
        return new(name, user, role);
    }
}

/// <summary>A key, without its secret.</summary>
/// <param name="Id">The key's id; not secret.</param>
/// <param name="Name">Its label.</param>
/// <param name="UserId">The user whose bots it can reach.</param>
/// <param name="Role">Its role.</param>
/// <param name="CreatedAt">When it was created.</param>
internal sealed record KeyResponse(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt)
{
    public static KeyResponse Of(AccessKey key) => new(key.Id, key.Name, key.UserId, key.Role, key.CreatedAt);
}

/// <summary>A key that was just created.</summary>
/// <param name="Id">The key's id; not secret.</param>
/// <param name="Name">Its label.</param>
/// <param name="UserId">The user whose bots it can reach.</param>
/// <param name="Role">Its role.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="Secret">The key itself, to send as X-API-Key. It is returned only once.</param>
/// <example>{"id": "1f0c3b5a7d92", "name": "Notes of the sales team", "userId": "sales", "role": "user", "createdAt": "2026-03-01T09:00:00Z", "secret": "nwb_1f0c3b5a7d92_…"}</example>
internal sealed record NewKeyResponse(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt, string Secret);

/// <summary>All keys.</summary>
/// <param name="Items">Oldest first.</param>
/// <example>{"items": [{"id": "1f0c3b5a7d92", "name": "Notes of the sales team", "userId": "sales", "role": "user", "createdAt": "2026-03-01T09:00:00Z"}]}</example>
internal sealed record KeyListResponse(IReadOnlyList<KeyResponse> Items);

/// <summary>The caller. Without any keys, only the role is present.</summary>
/// <param name="Role">The caller's role.</param>
/// <param name="UserId">The key's user.</param>
/// <param name="KeyId">The key's id.</param>
/// <param name="Name">The key's label.</param>
/// <param name="ExpiresAt">When the session ends, if it is one.</param>
/// <example>{"role": "user", "userId": "sales", "keyId": "1f0c3b5a7d92", "name": "Notes of the sales team", "expiresAt": "2026-03-01T21:00:00Z"}</example>
internal sealed record SessionResponse(AccessRole Role, UserId? UserId, string? KeyId, string? Name, DateTimeOffset? ExpiresAt)
{
    public static SessionResponse Of(Caller caller) => new(
        caller.Role, caller.Key?.UserId, caller.Key?.Id, caller.Key?.Name, caller.Session?.ExpiresAt);
}
