using System.Collections.Frozen;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Manager.Dashboard;

/// <summary>
/// The page at <c>/</c>: files that are built into the program, and what no other client of the API needs. Everything else it
/// asks of the API like anybody.
/// </summary>
internal static class DashboardEndpoints
{
    private const string Path = "/page";

    /// <summary>No script, style or connection but the manager's own, and nothing can be put into the page by writing HTML.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Html = "text/html; charset=utf-8";
    private const string Script = "text/javascript; charset=utf-8";

    private static readonly FrozenDictionary<string, PageFile> Files = new Dictionary<string, string>
    {
        ["index.html"] = Html,
        ["page.css"] = "text/css; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
        ["reload.js"] = Script,
        ["page.js"] = Script,
        ["api.js"] = Script,
        ["dom.js"] = Script,
        ["key.js"] = Script,
        ["form.js"] = Script,
        ["schedule.js"] = Script,
        ["words.js"] = Script,
        ["list.js"] = Script,
        ["start.js"] = Script,
        ["bot.js"] = Script,
        ["downloads.js"] = Script,
        ["timeline.js"] = Script,
        ["player.js"] = Script,
        ["log.js"] = Script,
    }.ToFrozenDictionary(file => file.Key, file => new PageFile(Read(file.Key), file.Value));

    public static TBuilder AddDashboard<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<RecordingWaveforms>();
        return builder;
    }

    public static void MapDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", (HttpResponse response) => Send(Files["index.html"], response)).ExcludeFromDescription().AllowAnonymous();

        var page = routes.MapGroup(Path).ExcludeFromDescription();
        page.MapGet("/{name}", GetFile).AllowAnonymous();
        page.MapGet("/scenarios", GetScenarios);
        var bot = page.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").ForOwnBotsAlone();
        bot.MapGet("/waveform", GetWaveformAsync);
        bot.MapGet("/pictures", ListPicturesAsync);
        bot.MapGet("/pictures/{number:int}", GetPictureAsync);
    }

    private static Results<ContentHttpResult, NotFound> GetFile(string name, HttpResponse response) =>
        Files.TryGetValue(name, out var file) ? Send(file, response) : TypedResults.NotFound();

    /// <summary>The rehearsals that a bot can be sent into; none where they are not served.</summary>
    private static IEnumerable<Scenario> GetScenarios(HttpContext context, IOptions<RehearsalOptions> rehearsal) => rehearsal.Value.Enabled
        ? NamedScenario.All.Select(scenario => new Scenario(
            scenario.Name,
            $"{RehearsalEndpoints.AddressFor(context)}/abc-defg-hij?scenario={scenario.Name}",
            scenario.Story,
            scenario.NeedsEpoch,
            scenario.Leave is var (condition, seconds) ? new() { [condition] = seconds } : []))
        : [];

    private static async Task<IResult> GetWaveformAsync(
        SessionId id, BotStore store, StorageLayout storage, RecordingWaveforms waveforms, CancellationToken cancellation)
    {
        if ((await store.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        var recording = storage.Recording(bot.UserId, id);
        if (bot.Recording is null || !File.Exists(recording))
            return BotProblems.NoRecording(bot);
        try
        {
            var file = await waveforms.MakeAsync(recording, TimeSpan.FromSeconds(bot.Recording.DurationSeconds), cancellation);
            return TypedResults.PhysicalFile(file, "application/json");
        }
        catch (FileNotFoundException)
        {
            return BotProblems.NotFound();
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            return BotProblems.NotConverted("waveform", exception.Message);
        }
    }

    /// <summary>The pictures that there are of what went wrong.</summary>
    private static async Task<Results<Ok<IEnumerable<Picture>>, ProblemHttpResult>> ListPicturesAsync(SessionId id, BotStore store, EvidenceFolder evidence) =>
        (await store.LookUpAsync(id)).Bot is { } bot
            ? TypedResults.Ok(evidence.Pictures(bot).Select((picture, number) =>
                new Picture($"{Path}/bots/{id}/pictures/{number}", Occasion(picture), new(picture.LastWriteTimeUtc))))
            : BotProblems.NotFound();

    private static async Task<Results<PhysicalFileHttpResult, ProblemHttpResult>> GetPictureAsync(
        SessionId id, int number, BotStore store, EvidenceFolder evidence)
    {
        if ((await store.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        if (evidence.Pictures(bot).ElementAtOrDefault(number) is not { } picture)
            return BotProblems.NoEvidence(bot);
        return TypedResults.PhysicalFile(picture.FullName, "image/png");
    }

    /// <summary>The folders are numbered: <c>1_denied_by_host</c>.</summary>
    private static string Occasion(FileInfo picture) => picture.Directory!.Name[(picture.Directory.Name.IndexOf('_', StringComparison.Ordinal) + 1)..];

    private static ContentHttpResult Send(PageFile file, HttpResponse response)
    {
        response.Headers.CacheControl = "no-cache";
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        return TypedResults.Text(file.Text, file.ContentType);
    }

    private static string Read(string name)
    {
        using var stream = typeof(DashboardEndpoints).Assembly.GetManifestResourceStream($"page/{name}")
            ?? throw new InvalidOperationException($"The page's {name} is not built into the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private sealed record PageFile(string Text, string ContentType);

    /// <param name="Name">As in <c>?scenario=denied</c>.</param>
    /// <param name="MeetingUrl">Where a bot is sent for it.</param>
    /// <param name="Story">What happens.</param>
    /// <param name="NeedsEpoch">Its address needs the parameter <c>epoch</c>: when it began, in Unix seconds.</param>
    /// <param name="Leave">The leave condition that the story needs, and its seconds.</param>
    private sealed record Scenario(string Name, string MeetingUrl, string Story, bool NeedsEpoch, Dictionary<string, int> Leave);

    /// <param name="Url">Where it is had, relative to the manager.</param>
    /// <param name="Occasion">The reason that it is evidence of; <c>unexpected</c> where there was none.</param>
    /// <param name="TakenAt">When.</param>
    private sealed record Picture(string Url, string Occasion, DateTimeOffset TakenAt);
}
