using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Rehearsal;

/// <summary>Serves simulated Google Meet calls and their index.</summary>
internal static partial class RehearsalEndpoints
{
    /// <summary>
    /// As strict as Google Meet's policy in what affects a bot: only the page's own scripts run, and Trusted Types prevent scripts
    /// from writing HTML into the page.
    /// </summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string NoStore = "no-store";

    /// <summary>Longer than any bot waits for a page, but finite, so that no connection stays open for good.</summary>
    private static readonly TimeSpan NeverDelay = TimeSpan.FromMinutes(10);

    private static readonly FrozenDictionary<string, string> Assets = new Dictionary<string, string>
    {
        ["meeting.js"] = "text/javascript; charset=utf-8",
        ["screens.js"] = "text/javascript; charset=utf-8",
        ["lobby.js"] = "text/javascript; charset=utf-8",
        ["call.js"] = "text/javascript; charset=utf-8",
        ["capture-blocking.js"] = "text/javascript; charset=utf-8",
        ["connection.js"] = "text/javascript; charset=utf-8",
        ["misbehaviors.js"] = "text/javascript; charset=utf-8",
        ["voices.js"] = "text/javascript; charset=utf-8",
        ["sounds.js"] = "text/javascript; charset=utf-8",
        [SpokenWords.Script] = "text/javascript; charset=utf-8",
        ["meeting.css"] = "text/css; charset=utf-8",
        ["index.css"] = "text/css; charset=utf-8",
    }.ToFrozenDictionary();

    public static TBuilder AddRehearsal<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOptions<RehearsalOptions>()
            .Configure<IHostEnvironment>((options, environment) => options.Enabled = environment.IsDevelopment())
            .BindConfiguration(RehearsalOptions.Section);
        return builder;
    }

    /// <summary>Maps the rehearsals if they are enabled.</summary>
    public static WebApplication MapRehearsal(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<RehearsalOptions>>().Value.Enabled)
            return app;

        var rehearsal = app.MapGroup(RehearsalOptions.Path).ExcludeFromDescription().AllowAnonymous();
        rehearsal.MapGet("/", GetIndex);
        rehearsal.MapGet("/product", (HttpContext context) => Page(context, RehearsalPages.Read("product.html")));
        rehearsal.MapGet("/{code}", GetMeeting);
        rehearsal.MapGet("/assets/{name}", GetAsset);
        return app;
    }

    /// <summary>
    /// The rehearsals' URL for bots: <c>localhost</c> and the manager's own port, because the reader's proxy or host name may not be
    /// reachable for a bot.
    /// </summary>
    public static string AddressFor(HttpContext reader) =>
        $"{(reader.Request.IsHttps ? Uri.UriSchemeHttps : Uri.UriSchemeHttp)}://localhost:{reader.Connection.LocalPort}{RehearsalOptions.Path}";

    private static ContentHttpResult GetIndex(HttpContext context) =>
        Page(context, RehearsalPages.Index($"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}", AddressFor(context)));

    private static async Task<Results<ContentHttpResult, RedirectHttpResult>> GetMeeting(string code, HttpContext context, IHostApplicationLifetime lifetime)
    {
        // Google Meet also answers an unknown code with status 200.
        if (!MeetingCode.IsMatch(code))
            return Page(context, RehearsalPages.Meeting(code, new RehearsalScenario { Opens = RehearsalOpening.NotFound }));

        var parameters = context.Request.Query.SelectMany(
            parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value ?? string.Empty));
        var (scenario, errors) = RehearsalQuery.Read(parameters);
        if (scenario is null)
            return Page(context, RehearsalPages.InvalidParameters(errors), StatusCodes.Status400BadRequest);
        switch (scenario.Opens)
        {
            case RehearsalOpening.Redirects:
                return TypedResults.Redirect($"{context.Request.PathBase}{context.Request.Path}{context.Request.QueryString}");
            case RehearsalOpening.Never:
                using (var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping))
                    await Task.Delay(NeverDelay, TimeProvider.System, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
        }

        return Page(context, RehearsalPages.Meeting(code, scenario));
    }

    private static Results<ContentHttpResult, NotFound> GetAsset(string name, HttpContext context)
    {
        if (!Assets.TryGetValue(name, out var type))
            return TypedResults.NotFound();
        context.Response.Headers.CacheControl = NoStore;
        return TypedResults.Text(name == SpokenWords.Script ? SpokenWords.ReadScript() : RehearsalPages.Read(name), type);
    }

    private static ContentHttpResult Page(HttpContext context, string html, int status = StatusCodes.Status200OK)
    {
        context.Response.Headers.CacheControl = NoStore;
        context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        return TypedResults.Text(html, "text/html; charset=utf-8", statusCode: status);
    }

    [GeneratedRegex("^[a-z]{3}-[a-z]{4}-[a-z]{3}\\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex MeetingCode { get; }
}
