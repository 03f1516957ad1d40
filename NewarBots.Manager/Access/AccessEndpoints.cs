using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>The API's calls on keys, which are an admin's, and on the session of a browser.</summary>
internal static class AccessEndpoints
{
    private const int MaxBodyBytes = 4096;

    /// <summary>A day's work at most; then the page asks again.</summary>
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    public static void MapAccess(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/keys").WithTags("Keys").RequireAuthorization(AccessRegistration.AdminPolicy);
        keys.MapPost("", AddAsync).WithName("AddKey").Accepts<object>("application/json");
        keys.MapGet("", List).WithName("ListKeys");
        keys.MapDelete("/{id}", RevokeAsync).WithName("RevokeKey");

        var session = routes.MapGroup("/session").WithTags("Session");
        session.MapPost("", SignInAsync).WithName("SignIn");
        session.MapGet("", (Caller caller) => TypedResults.Ok(SessionResponse.Of(caller))).WithName("GetSession");
        session.MapDelete("", SignOutAsync).WithName("SignOut");
    }

    private static async Task<Results<Created<NewKeyResponse>, ProblemHttpResult>> AddAsync(
        HttpRequest request, KeyFile file, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        // Whoever makes the first key rules over all others: that is for whom the storage folder belongs to, not for all on this machine.
        if (file.State is AccessState.Anonymous)
            return AccessProblems.FirstKeyByCommand();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        var (wanted, faults) = RequestBody.Read(body, CreateKeyRequest.Read);
        if (wanted is null)
            return ApiProblems.InvalidRequest(faults);

        var secret = Credential.New();
        var key = new AccessKey(secret.Id, wanted.Name, wanted.UserId, wanted.Role, time.GetUtcNow(), secret.Hash);
        await file.ChangeAsync(list => list.Add(key), cancellation);
        return TypedResults.Created(
            $"/keys/{key.Id}", new NewKeyResponse(key.Id, key.Name, key.UserId, key.Role, key.CreatedAt, secret.Text));
    }

    private static Ok<KeyListResponse> List(KeyFile file) => TypedResults.Ok(
        new KeyListResponse([.. file.State is AccessState.Keyed keyed ? keyed.List.Keys.Select(KeyResponse.Of) : []]));

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(string id, KeyFile file, CancellationToken cancellation)
    {
        if (file.State is not AccessState.Keyed keyed || keyed.List.Keys.All(key => key.Id != id))
            return AccessProblems.KeyNotFound();
        await file.ChangeAsync(list => list.Keys.SingleOrDefault(key => key.Id == id) is { } key ? list.Remove(key) : list, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>A session is made of a key alone, so that none lives on through others.</summary>
    private static async Task<Ok<SessionResponse>> SignInAsync(
        Caller caller, KeyFile file, TimeProvider time, HttpContext context, CancellationToken cancellation)
    {
        if (caller is not { Key: { } key, Session: null })
            return TypedResults.Ok(SessionResponse.Of(caller));
        var secret = Credential.New();
        var session = new AccessSession(secret.Id, key.Id, time.GetUtcNow() + SessionLength, secret.Hash);
        await file.ChangeAsync(list => list.Add(session, time.GetUtcNow()), cancellation);
        SessionCookie.Set(context, secret, session.ExpiresAt);
        return TypedResults.Ok(SessionResponse.Of(caller with { Session = session }));
    }

    private static async Task<NoContent> SignOutAsync(Caller caller, KeyFile file, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Session is { } session)
            await file.ChangeAsync(list => list.Remove(session), cancellation);
        SessionCookie.Clear(context);
        return TypedResults.NoContent();
    }
}

/// <summary>What <c>POST /keys</c> takes, read and checked.</summary>
internal sealed record CreateKeyRequest(string Name, UserId UserId, AccessRole Role)
{
    public static readonly string NameFault = $"must have 1 to {AccessKey.MaxNameLength} characters, none of them a control character, and no space at its ends";

    public static readonly string RoleFault = $"must be {WireWord.Choice<AccessRole>()}";

    /// <returns>The request; the faults go to the list.</returns>
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

/// <summary>A key as the API shows it.</summary>
internal sealed record KeyResponse(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt)
{
    public static KeyResponse Of(AccessKey key) => new(key.Id, key.Name, key.UserId, key.Role, key.CreatedAt);
}

/// <param name="Id">Under which it is revoked.</param>
/// <param name="Name">As it was asked for.</param>
/// <param name="UserId">Whose bots it reaches.</param>
/// <param name="Role">How far it reaches.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Secret">The key itself, which is not told again.</param>
internal sealed record NewKeyResponse(string Id, string Name, UserId UserId, AccessRole Role, DateTimeOffset CreatedAt, string Secret);

internal sealed record KeyListResponse(IReadOnlyList<KeyResponse> Items);

/// <summary>Who asks; all but the role is absent where there are no keys.</summary>
internal sealed record SessionResponse(AccessRole Role, UserId? UserId, string? KeyId, string? Name, DateTimeOffset? ExpiresAt)
{
    public static SessionResponse Of(Caller caller) => new(
        caller.Role, caller.Key?.UserId, caller.Key?.Id, caller.Key?.Name, caller.Session?.ExpiresAt);
}
