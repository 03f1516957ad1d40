using System.Diagnostics;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;

namespace NewarBots.Tests.Fixtures;

/// <summary>The real Aspire dashboard of the AppHost, without an AppHost, and the telemetry that it received.</summary>
internal sealed class AspireDashboard : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly DashboardApi _api;

    private AspireDashboard(string otlpHost)
    {
        Address = new Uri($"http://127.0.0.1:{ManagerProcess.FreePort()}");
        OtlpEndpoint = $"http://{otlpHost}:{ManagerProcess.FreePort()}";
        _api = new DashboardApi(Address);
        _process = new Process
        {
            StartInfo = new(ProgramPath)
            {
                WorkingDirectory = Path.GetDirectoryName(ProgramPath),
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                Environment =
                {
                    ["ASPNETCORE_URLS"] = Address.ToString(),
                    ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = OtlpEndpoint,
                    ["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
                    ["ASPIRE_DASHBOARD_TELEMETRY_OPTOUT"] = "true",
                },
            },
        };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
    }

    /// <summary>The dashboard that the AppHost starts: one program, from the package of Aspire's version.</summary>
    public static string ProgramPath { get; } = typeof(Projects.NewarBots_AppHost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "aspiredashboardpath").Value!;

    public Uri Address { get; }

    /// <summary>The gRPC endpoint for telemetry.</summary>
    public string OtlpEndpoint { get; }

    /// <param name="otlpHost">The address to receive telemetry on.</param>
    public static async Task<AspireDashboard> StartAsync(string otlpHost)
    {
        var dashboard = new AspireDashboard(otlpHost);
        dashboard._process.Start();
        dashboard._process.BeginOutputReadLine();
        dashboard._process.BeginErrorReadLine();
        await Eventually.TrueAsync(dashboard.AnswersAsync, StartTimeout);
        return dashboard;
    }

    /// <summary>All received spans.</summary>
    public Task<IReadOnlyList<DashboardSpan>> SpansAsync() => _api.SpansAsync();

    /// <summary>All received log records.</summary>
    public Task<IReadOnlyList<DashboardLog>> LogsAsync() => _api.LogsAsync();

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _api.Dispose();
    }

    private Task<bool> AnswersAsync() => _process.HasExited
        ? throw new InvalidOperationException($"The dashboard exited with {_process.ExitCode}:\n{string.Join('\n', _output)}")
        : _api.AnswersAsync();

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_output)
            _output.Add(line.Data);
    }
}

/// <summary>Reads the telemetry that a running Aspire dashboard has received.</summary>
internal sealed class DashboardApi(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address };

    public void Dispose() => _http.Dispose();

    public async Task<bool> AnswersAsync()
    {
        try
        {
            return (await _http.GetAsync(new Uri("api/telemetry/traces", UriKind.Relative))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>All received spans.</summary>
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
               AttributesOf(resource["resource"]!).GetValueOrDefault("service.instance.id"),
               long.Parse((string)span["startTimeUnixNano"]!, System.Globalization.CultureInfo.InvariantCulture),
               IsError(span["status"]?["code"]),
               AttributesOf(span)),
    ];

    /// <summary>All received log records.</summary>
    public async Task<IReadOnlyList<DashboardLog>> LogsAsync() =>
    [
        .. from resource in await ReadAsync("logs", "resourceLogs")
           from scope in resource!["scopeLogs"]!.AsArray()
           from record in scope!["logRecords"]!.AsArray()
           select new DashboardLog((string?)record!["traceId"], ServiceOf(resource), (string?)record["body"]!["stringValue"] ?? string.Empty),
    ];

    private async Task<JsonArray> ReadAsync(string signal, string resources)
    {
        const int MaxItems = 10_000;
        var answer = await _http.GetFromJsonAsync<JsonNode>(new Uri($"api/telemetry/{signal}?limit={MaxItems}", UriKind.Relative));
        Assert.Equal((int)answer!["totalCount"]!, (int)answer["returnedCount"]!);
        return answer["data"]![resources]!.AsArray();
    }

    /// <summary>OTLP's JSON allows enumerations as numbers or names.</summary>
    private static bool IsError(JsonNode? status) => status?.ToString() is "2" or "STATUS_CODE_ERROR";

    private static string ServiceOf(JsonNode resource) => AttributesOf(resource["resource"]!)["service.name"];

    private static Dictionary<string, string> AttributesOf(JsonNode node) =>
        node["attributes"]?.AsArray().ToDictionary(one => (string)one!["key"]!, one => (string?)one!["value"]?["stringValue"] ?? string.Empty) ?? [];
}

/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="Id">16 hexadecimal digits.</param>
/// <param name="ParentId"><see langword="null"/> for the root span.</param>
/// <param name="Name">The span's name.</param>
/// <param name="Service">The program that sent it.</param>
/// <param name="Instance">The id of the process.</param>
/// <param name="StartedAt">Unix nanoseconds.</param>
/// <param name="IsError">Whether its status is an error.</param>
/// <param name="Attributes">String attributes only.</param>
internal sealed record DashboardSpan(
    string TraceId, string Id, string? ParentId, string Name, string Service, string? Instance, long StartedAt, bool IsError,
    IReadOnlyDictionary<string, string> Attributes);

/// <param name="TraceId">The trace that it belongs to, if any.</param>
/// <param name="Service">The program that sent it.</param>
/// <param name="Message">The formatted message.</param>
internal sealed record DashboardLog(string? TraceId, string Service, string Message);
