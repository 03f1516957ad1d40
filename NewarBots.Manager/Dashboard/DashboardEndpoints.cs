using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
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

    private const string DocsPrefix = "docs/";

    private const string RetryAfterSeconds = "10";

    /// <summary>Only the manager's own scripts, styles and connections are allowed; Trusted Types prevent scripts from writing HTML.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly string Version =
        typeof(DashboardEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static readonly FrozenDictionary<string, DashboardFile> Files = ReadFiles(ResourcePrefix);

    /// <summary>The docs of this version, and their images.</summary>
    private static readonly FrozenDictionary<string, DashboardFile> Docs = ReadFiles(DocsPrefix);

    /// <summary>Only pages that exist.</summary>
    private static readonly ConcurrentDictionary<string, DashboardFile> RenderedDocs = new();

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
        page.MapGet("/docs/{name}", GetDocument).AllowAnonymous();
        page.MapGet("/scenarios", GetScenarios);
        page.MapGet("/about", GetAbout);
        var bot = page.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").RequireOwnBot();
        bot.MapGet("/waveform", GetWaveformAsync);
        bot.MapGet("/pictures", ListScreenshotsAsync);
        bot.MapGet("/pictures/{number:int}", GetScreenshotAsync);
    }

    private static Results<FileContentHttpResult, NotFound> GetFile(string name, HttpResponse response) =>
        Files.TryGetValue(name, out var file) ? Send(file, response) : TypedResults.NotFound();

    /// <summary>A page of the docs as HTML, or one of their images.</summary>
    private static Results<FileContentHttpResult, NotFound> GetDocument(string name, HttpResponse response) =>
        Docs.TryGetValue(name + DocsPage.Extension, out var page)
            ? Send(RenderedDocs.GetOrAdd(name, _ => new(Encoding.UTF8.GetBytes(DocsPage.Render(name, page.Content)), "text/html; charset=utf-8")), response)
            : Docs.TryGetValue(name, out var file) && !name.EndsWith(DocsPage.Extension, StringComparison.Ordinal) ? Send(file, response) : TypedResults.NotFound();

    /// <summary>The named rehearsals; empty if they are disabled.</summary>
    private static IEnumerable<Scenario> GetScenarios(HttpContext context, IOptions<RehearsalOptions> rehearsal) => rehearsal.Value.Enabled
        ? NamedScenario.All.Select(scenario => new Scenario(
            scenario.Name,
            $"{RehearsalEndpoints.AddressFor(context)}/abc-defg-hij?scenario={scenario.Name}",
            scenario.Description,
            scenario.NeedsEpoch,
            scenario.Leave is var (condition, seconds) ? new() { [condition] = seconds } : []))
        : [];

    /// <summary>Only admins see where the storage is.</summary>
    private static Ok<About> GetAbout(Caller caller, StorageLayout storage, IOptions<TranscriptionOptions> transcription)
    {
        var disk = new DriveInfo(storage.Root);
        return TypedResults.Ok(new About(
            Version, caller.IsAdmin ? storage.Root : null, disk.IsReady ? disk.AvailableFreeSpace : null, disk.IsReady ? disk.TotalSize : null, transcription.Value.IsOn));
    }

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

    private static FileContentHttpResult Send(DashboardFile file, HttpResponse response)
    {
        response.Headers.CacheControl = "no-cache";
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        return TypedResults.Bytes(file.Content, file.ContentType);
    }

    private static FrozenDictionary<string, DashboardFile> ReadFiles(string prefix)
    {
        var assembly = typeof(DashboardEndpoints).Assembly;
        return assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[prefix.Length..], Read);

        DashboardFile Read(string name)
        {
            using var resource = assembly.GetManifestResourceStream(name)!;
            using var content = new MemoryStream();
            resource.CopyTo(content);
            return new(content.ToArray(), ContentType(name));
        }
    }

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".md" => "text/markdown; charset=utf-8",
        ".png" => "image/png",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"The dashboard has no content type for files with the extension '{other}'."),
    };

    private sealed record DashboardFile(byte[] Content, string ContentType);

    /// <param name="Version">The manager's version.</param>
    /// <param name="StoragePath">The storage folder; only for admins.</param>
    /// <param name="FreeBytes">Free space of its disk.</param>
    /// <param name="TotalBytes">Size of its disk.</param>
    /// <param name="Transcripts">Whether recordings can be transcribed.</param>
    private sealed record About(string Version, string? StoragePath, long? FreeBytes, long? TotalBytes, bool Transcripts);

    /// <param name="Name">The value of the query parameter <c>scenario</c>.</param>
    /// <param name="MeetingUrl">The URL to send a bot to.</param>
    /// <param name="Description">The course of the meeting.</param>
    /// <param name="NeedsEpoch">The URL needs the parameter <c>epoch</c>: the start of the call in Unix seconds.</param>
    /// <param name="Leave">The leave condition that the scenario needs, and its timeout in seconds.</param>
    private sealed record Scenario(string Name, string MeetingUrl, string Description, bool NeedsEpoch, Dictionary<string, int> Leave);

    /// <param name="Url">Relative to the manager.</param>
    /// <param name="Occasion">The bot's reason; <c>unexpected</c> if it had none.</param>
    /// <param name="TakenAt">When the screenshot was taken.</param>
    private sealed record Screenshot(string Url, string Occasion, DateTimeOffset TakenAt);
}
