using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Access;

internal static partial class AccessRegistration
{
    public const string AdminPolicy = "Admin";

    /// <summary>How long a stream may continue after its key is revoked or its session has expired.</summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Keys, roles and limits. Every endpoint requires a key unless it is marked <c>AllowAnonymous</c>. While no keys exist, the manager listens on
    /// localhost only.
    /// </summary>
    public static WebApplicationBuilder AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        builder.Services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<KeyFile>();
        builder.Services.AddSingleton<InvalidKeyLimiter>();
        builder.Services.AddSingleton<StreamLimits>();
        builder.Services.AddAuthentication(KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, configureOptions: null);
        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(AdminPolicy, policy => policy.RequireRole(Roles.Admin));
        builder.Services.AddRateLimits();
        builder.Services.ExtendApiDescription(DescribeSecurity);
        // Kestrel calls this for each configured address before it listens.
        builder.Services.AddOptions<KestrelServerOptions>().Configure<KeyFile>((kestrel, keys) =>
            kestrel.ConfigureEndpointDefaults(address => RequireKeysForPublicAddress(address, keys)));
        return builder;
    }

    public static WebApplication UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.Use(AbortWhenRevokedAsync);
        app.Lifetime.ApplicationStarted.Register(() => LogAccess(app));
        return app;
    }

    private static void RequireKeysForPublicAddress(ListenOptions address, KeyFile keys)
    {
        var hasKeys = keys.State is not (AccessState.Anonymous or AccessState.Keyed { List.Keys.Count: 0 });
        if (!hasKeys && address.IPEndPoint is { } endpoint && !IPAddress.IsLoopback(endpoint.Address))
        {
            throw new InvalidSettingException(
                $"The manager must not listen on {address} without keys, and {keys.Path} has none. "
                + $"Create one ({AccessProblems.CreateKeyCommand}), or listen on localhost only (ASPNETCORE_URLS=http://127.0.0.1:8082).");
        }
    }

    /// <summary>Rechecks the access of long requests, such as streams, and aborts them when it ends.</summary>
    private static async Task AbortWhenRevokedAsync(HttpContext context, RequestDelegate next)
    {
        if (Caller.Of(context) is not { } caller)
        {
            await next(context);
            return;
        }

        var keys = context.RequestServices.GetRequiredService<KeyFile>();
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        // Asynchronous disposal waits for a running check, so that it cannot abort the connection's next request.
        await using var recheck = time.CreateTimer(
            _ =>
            {
                if (!keys.State.StillAllows(caller, time.GetUtcNow()))
                    context.Abort();
            },
            state: null, RecheckInterval, RecheckInterval);
        await next(context);
    }

    /// <summary>Either header, or neither for local callers while no keys exist.</summary>
    private static void DescribeSecurity(OpenApiDocument document)
    {
        document.AddComponent("apiKey", (IOpenApiSecurityScheme)new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = KeyAuthentication.HeaderName,
            Description = "A key.",
        });
        document.AddComponent("bearer", (IOpenApiSecurityScheme)new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A key.",
        });
        document.Security =
        [
            new() { [new("apiKey", document)] = [] },
            new() { [new("bearer", document)] = [] },
            new(),
        ];
    }

    private static void LogAccess(WebApplication app)
    {
        var keys = app.Services.GetRequiredService<KeyFile>();
        switch (keys.State)
        {
            case AccessState.Anonymous:
                Log.NoKeys(app.Logger, AccessProblems.CreateKeyCommand);
                break;
            case AccessState.Keyed keyed:
                Log.Keys(app.Logger, keyed.List.Keys.Count, keys.Path);
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "No keys exist, so the manager serves all local callers and no others. Create the first key with: {Command}")]
        public static partial void NoKeys(ILogger logger, string command);

        [LoggerMessage(LogLevel.Information, "Callers need one of the {Count} keys in {Path}")]
        public static partial void Keys(ILogger logger, int count, string path);
    }
}
