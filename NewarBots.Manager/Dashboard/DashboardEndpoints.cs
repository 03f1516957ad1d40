using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Manager.Dashboard;

/// <summary>
/// The dashboard at <c>/</c>: its embedded files, and endpoints that only the dashboard needs. It is otherwise an ordinary client of the
/// API.
/// </summary>
internal static class DashboardEndpoints
{
    private const string RoutePrefix = "/page";

    private const string ResourcePrefix = "page/";

    private const string RetryAfterSeconds = "10";

    /// <summary>Only the manager's own scripts, styles and connections are allowed; Trusted Types prevent scripts from writing HTML.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly FrozenDictionary<string, DashboardFile> Files = ReadFiles();

    public static TBuilder AddDashboard<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<RecordingWaveforms>();
        return builder;
    }

    public static void MapDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", (HttpResponse response) => Send(Files["index.html"], response)).ExcludeFromDescription().AllowAnonymous();

        var page = routes.MapGroup(RoutePrefix).ExcludeFromDescription();
        page.MapGet("/{name}", GetFile).AllowAnonymous();
        page.MapGet("/scenarios", GetScenarios);
        page.MapGet("/features", (IOptions<TranscriptionOptions> transcription) => new Features(transcription.Value.IsOn));
        var bot = page.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").RequireOwnBot();
        bot.MapGet("/waveform", GetWaveformAsync);
        bot.MapGet("/pictures", ListScreenshotsAsync);
        bot.MapGet("/pictures/{number:int}", GetScreenshotAsync);
    }

    private static Results<ContentHttpResult, NotFound> GetFile(string name, HttpResponse response) =>
        Files.TryGetValue(name, out var file) ? Send(file, response) : TypedResults.NotFound();

    /// <summary>The named rehearsals; empty if they are disabled.</summary>
    private static IEnumerable<Scenario> GetScenarios(HttpContext context, IOptions<RehearsalOptions> rehearsal) => rehearsal.Value.Enabled
        ? NamedScenario.All.Select(scenario => new Scenario(
            scenario.Name,
            $"{RehearsalEndpoints.AddressFor(context)}/abc-defg-hij?scenario={scenario.Name}",
            scenario.Description,
            scenario.NeedsEpoch,
            scenario.Leave is var (condition, seconds) ? new() { [condition] = seconds } : []))
        : [];

    private static async Task<IResult> GetWaveformAsync(
        SessionId id, BotQueries queries, StorageLayout storage, RecordingWaveforms waveforms, HttpResponse response, CancellationToken cancellation)
    {
        if ((await queries.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        var recording = storage.Recording(bot.UserId, id);
        if (bot.Recording is null || !File.Exists(recording))
            return BotProblems.NoRecording(bot);
        try
        {
            var file = await waveforms.CreateAsync(recording, TimeSpan.FromSeconds(bot.Recording.DurationSeconds), cancellation);
            if (file is not null)
                return TypedResults.PhysicalFile(file, "application/json");
            response.Headers.RetryAfter = RetryAfterSeconds;
            return BotProblems.ConversionQueueFull(RecordingWaveforms.MaxWaitingOfOneUser);
        }
        catch (FileNotFoundException)
        {
            return BotProblems.NotFound();
        }
        catch (FailedEarlierException failed)
        {
            response.Headers.RetryAfter = Math.Ceiling(failed.Wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return BotProblems.NotConvertedAgain("waveform", failed.Explanation, failed.Wait);
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            return BotProblems.NotConverted("waveform", Failures.Explain(exception));
        }
    }

    /// <summary>The screenshots in the bot's evidence.</summary>
    private static async Task<Results<Ok<IEnumerable<Screenshot>>, ProblemHttpResult>> ListScreenshotsAsync(SessionId id, BotQueries queries, EvidenceFolder evidence) =>
        (await queries.LookUpAsync(id)).Bot is { } bot
            ? TypedResults.Ok(evidence.Pictures(bot).Select((picture, number) =>
                new Screenshot($"{RoutePrefix}/bots/{id}/pictures/{number}", Occasion(picture), new(picture.LastWriteTimeUtc))))
            : BotProblems.NotFound();

    private static async Task<Results<PhysicalFileHttpResult, ProblemHttpResult>> GetScreenshotAsync(
        SessionId id, int number, BotQueries queries, EvidenceFolder evidence)
    {
        if ((await queries.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        if (evidence.Pictures(bot).ElementAtOrDefault(number) is not { } picture)
            return BotProblems.NoEvidence(bot);
        return TypedResults.PhysicalFile(picture.FullName, "image/png");
    }

    /// <summary>The reason in a folder name such as <c>1_denied_by_host</c>.</summary>
    private static string Occasion(FileInfo picture) => picture.Directory!.Name[(picture.Directory.Name.IndexOf('_', StringComparison.Ordinal) + 1)..];

    private static ContentHttpResult Send(DashboardFile file, HttpResponse response)
    {
        response.Headers.CacheControl = "no-cache";
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        return TypedResults.Text(file.Text, file.ContentType);
    }

    private static FrozenDictionary<string, DashboardFile> ReadFiles()
    {
        var assembly = typeof(DashboardEndpoints).Assembly;
        return assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[ResourcePrefix.Length..], Read);

        DashboardFile Read(string name)
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            return new(reader.ReadToEnd(), ContentType(name));
        }
    }

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"The dashboard has no content type for files with the extension '{other}'."),
    };

    private sealed record DashboardFile(string Text, string ContentType);

    /// <param name="Name">The value of the query parameter <c>scenario</c>.</param>
    /// <param name="MeetingUrl">The URL to send a bot to.</param>
    /// <param name="Description">The course of the meeting.</param>
    /// <param name="NeedsEpoch">The URL needs the parameter <c>epoch</c>: the start of the call in Unix seconds.</param>
    /// <param name="Leave">The leave condition that the scenario needs, and its timeout in seconds.</param>
    private sealed record Scenario(string Name, string MeetingUrl, string Description, bool NeedsEpoch, Dictionary<string, int> Leave);

    /// <param name="Transcripts">A speech server is set.</param>
    private sealed record Features(bool Transcripts);

    /// <param name="Url">Relative to the manager.</param>
    /// <param name="Occasion">The bot's reason; <c>unexpected</c> if it had none.</param>
    /// <param name="TakenAt">When the screenshot was taken.</param>
    private sealed record Screenshot(string Url, string Occasion, DateTimeOffset TakenAt);
}
