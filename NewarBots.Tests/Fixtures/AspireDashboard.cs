using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace NewarBots.Tests.Fixtures;

/// <summary>The real Aspire dashboard, had as <c>./run</c> has it, and what it says it has received.</summary>
internal sealed class AspireDashboard : IAsyncDisposable
{
    /// <summary>The first time, it is installed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly HttpClient _api;

    private AspireDashboard(string otlpHost)
    {
        Address = new Uri($"http://127.0.0.1:{ManagerProcess.FreePort()}");
        OtlpEndpoint = $"http://{otlpHost}:{ManagerProcess.FreePort()}";
        _api = new HttpClient { BaseAddress = Address };
        _process = new Process
        {
            StartInfo = new(
                Path.Combine(Root(), "eng", "aspire-dashboard"),
                [
                    "--frontend-url", Address.ToString(), "--otlp-grpc-url", OtlpEndpoint,
                    "--otlp-http-url", $"http://127.0.0.1:{ManagerProcess.FreePort()}",
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            },
        };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
    }

    public Uri Address { get; }

    /// <summary>Where telemetry is taken, by gRPC.</summary>
    public string OtlpEndpoint { get; }

    /// <param name="otlpHost">The address on which it takes telemetry.</param>
    public static async Task<AspireDashboard> StartAsync(string otlpHost)
    {
        var dashboard = new AspireDashboard(otlpHost);
        dashboard._process.Start();
        dashboard._process.BeginOutputReadLine();
        dashboard._process.BeginErrorReadLine();
        await Eventually.TrueAsync(dashboard.AnswersAsync, Patience);
        return dashboard;
    }

    /// <returns>The path of the program itself, which whoever has run it once finds unpacked.</returns>
    public static async Task<string> ProgramAsync()
    {
        await using (await StartAsync("127.0.0.1")) { }
        return Directory.EnumerateFiles(Path.Combine(Root(), ".state", "aspire", "versions"), "aspire-managed", SearchOption.AllDirectories).Max()!;
    }

    /// <summary>Every span it has.</summary>
    public async Task<IReadOnlyList<DashboardSpan>> SpansAsync() =>
    [
        .. from resource in await ReadAsync("traces", "resourceSpans")
           from scope in resource!["scopeSpans"]!.AsArray()
           from span in scope!["spans"]!.AsArray()
           select new DashboardSpan(
               (string)span!["traceId"]!,
               (string)span["spanId"]!,
               (string?)span["parentSpanId"] is { Length: > 0 } parent ? parent : null,
               (string)span["name"]!,
               ServiceOf(resource),
               long.Parse((string)span["startTimeUnixNano"]!, System.Globalization.CultureInfo.InvariantCulture),
               IsError(span["status"]?["code"]),
               AttributesOf(span)),
    ];

    /// <summary>Every log record it has.</summary>
    public async Task<IReadOnlyList<DashboardLog>> LogsAsync() =>
    [
        .. from resource in await ReadAsync("logs", "resourceLogs")
           from scope in resource!["scopeLogs"]!.AsArray()
           from record in scope!["logRecords"]!.AsArray()
           select new DashboardLog((string?)record!["traceId"], ServiceOf(resource), (string?)record["body"]!["stringValue"] ?? string.Empty),
    ];

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _api.Dispose();
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"The dashboard exited with {_process.ExitCode}:\n{string.Join('\n', _output)}");
        try
        {
            return (await _api.GetAsync(new Uri("api/telemetry/traces", UriKind.Relative))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<JsonArray> ReadAsync(string signal, string resources)
    {
        const int AsManyAsItKeeps = 10_000;
        var answer = await _api.GetFromJsonAsync<JsonNode>(new Uri($"api/telemetry/{signal}?limit={AsManyAsItKeeps}", UriKind.Relative));
        Assert.Equal((int)answer!["totalCount"]!, (int)answer["returnedCount"]!);
        return answer["data"]![resources]!.AsArray();
    }

    /// <summary>In OTLP's JSON an enumeration may be its number or its name.</summary>
    private static bool IsError(JsonNode? status) => status?.ToString() is "2" or "STATUS_CODE_ERROR";

    private static string ServiceOf(JsonNode resource) => AttributesOf(resource["resource"]!)["service.name"];

    private static Dictionary<string, string> AttributesOf(JsonNode node) =>
        node["attributes"]?.AsArray().ToDictionary(one => (string)one!["key"]!, one => (string?)one!["value"]?["stringValue"] ?? string.Empty) ?? [];

    /// <summary>The repository's folder.</summary>
    public static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_output)
            _output.Add(line.Data);
    }
}

/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="Id">16 hexadecimal digits.</param>
/// <param name="ParentId"><see langword="null"/> for the trace's first.</param>
/// <param name="Name">A verb, without ids.</param>
/// <param name="Service">Which process it is from.</param>
/// <param name="StartedAt">Unix nanoseconds.</param>
/// <param name="IsError">Its status.</param>
/// <param name="Attributes">Those that are text.</param>
internal sealed record DashboardSpan(
    string TraceId, string Id, string? ParentId, string Name, string Service, long StartedAt, bool IsError,
    IReadOnlyDictionary<string, string> Attributes);

/// <param name="TraceId">Of the trace it lies in, if any.</param>
/// <param name="Service">Which process it is from.</param>
/// <param name="Message">As it was formatted.</param>
internal sealed record DashboardLog(string? TraceId, string Service, string Message);
