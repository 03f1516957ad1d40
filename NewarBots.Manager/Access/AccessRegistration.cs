using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Access;

internal static partial class AccessRegistration
{
    public const string AdminPolicy = "Admin";

    /// <summary>How long a stream may go on after its key is revoked, or its session over.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Keys, roles and limits. Every call asks for a key but those that say <c>AllowAnonymous</c>; without any key, the manager
    /// does not listen but on this machine.
    /// </summary>
    public static WebApplicationBuilder AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        builder.Services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<KeyFile>();
        builder.Services.AddSingleton<WrongKeys>();
        builder.Services.AddAuthentication(KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, configureOptions: null);
        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(AdminPolicy, policy => policy.RequireRole(Roles.Admin));
        builder.Services.AddRateLimits();
        // Each address comes by here before anybody can connect to it, wherever it was configured.
        builder.Services.AddOptions<KestrelServerOptions>().Configure<KeyFile>((kestrel, keys) =>
            kestrel.ConfigureEndpointDefaults(address => RefuseToListenWider(address, keys)));
        return builder;
    }

    public static WebApplication UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.Use(EndWithTheKeyAsync);
        app.Lifetime.ApplicationStarted.Register(() => Tell(app));
        return app;
    }

    private static void RefuseToListenWider(ListenOptions address, KeyFile keys)
    {
        var hasKeys = keys.State is not (AccessState.Anonymous or AccessState.Keyed { List.Keys.Count: 0 });
        if (!hasKeys && address.IPEndPoint is { } endpoint && !IPAddress.IsLoopback(endpoint.Address))
        {
            throw new InvalidOperationException(
                $"The manager would listen on {address} for others than this machine, and there is no key in {keys.Path}. "
                + $"Make one ({AccessProblems.MakeKey}), or listen on this machine alone (ASPNETCORE_URLS=http://127.0.0.1:8082).");
        }
    }

    /// <summary>A request that lasts, as streams do, is looked at again from time to time.</summary>
    private static async Task EndWithTheKeyAsync(HttpContext context, RequestDelegate next)
    {
        if (Caller.Of(context) is not { } caller)
        {
            await next(context);
            return;
        }

        var keys = context.RequestServices.GetRequiredService<KeyFile>();
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        // Disposed of asynchronously, it waits for a look that is under way: none falls onto the next request.
        await using var look = time.CreateTimer(
            _ =>
            {
                if (!keys.State.StillLetsIn(caller, time.GetUtcNow()))
                    context.Abort();
            },
            state: null, LookAgain, LookAgain);
        await next(context);
    }

    private static void Tell(WebApplication app)
    {
        var keys = app.Services.GetRequiredService<KeyFile>();
        switch (keys.State)
        {
            case AccessState.Anonymous:
                Log.NoKeys(app.Logger, AccessProblems.MakeKey);
                break;
            case AccessState.Keyed keyed:
                Log.Keys(app.Logger, keyed.List.Keys.Count, keys.Path);
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "There are no keys: the manager serves everybody on this machine, and nobody else. This makes the first key: {Command}")]
        public static partial void NoKeys(ILogger logger, string command);

        [LoggerMessage(LogLevel.Information, "Whoever has one of the {Count} keys in {Path} is let in")]
        public static partial void Keys(ILogger logger, int count, string path);
    }
}
