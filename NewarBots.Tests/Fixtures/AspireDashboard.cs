using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace NewarBots.Tests.Fixtures;

/// <summary>The real Aspire dashboard, started like by <c>./run</c>, and the telemetry that it received.</summary>
internal sealed class AspireDashboard : IAsyncDisposable
{
    /// <summary>Includes the installation on first use.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

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
                Repository.PathOf("eng", "aspire-dashboard"),
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

    /// <returns>Path of the dashboard's program, which its first run unpacks.</returns>
    public static async Task<string> ProgramAsync()
    {
        await using (await StartAsync("127.0.0.1")) { }
        return Directory.EnumerateFiles(Repository.PathOf(".state", "aspire", "versions"), "aspire-managed", SearchOption.AllDirectories).Max()!;
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
        const int MaxItems = 10_000;
        var answer = await _api.GetFromJsonAsync<JsonNode>(new Uri($"api/telemetry/{signal}?limit={MaxItems}", UriKind.Relative));
        Assert.Equal((int)answer!["totalCount"]!, (int)answer["returnedCount"]!);
        return answer["data"]![resources]!.AsArray();
    }

    /// <summary>OTLP's JSON allows enumerations as numbers or names.</summary>
    private static bool IsError(JsonNode? status) => status?.ToString() is "2" or "STATUS_CODE_ERROR";

    private static string ServiceOf(JsonNode resource) => AttributesOf(resource["resource"]!)["service.name"];

    private static Dictionary<string, string> AttributesOf(JsonNode node) =>
        node["attributes"]?.AsArray().ToDictionary(one => (string)one!["key"]!, one => (string?)one!["value"]?["stringValue"] ?? string.Empty) ?? [];

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
/// <param name="ParentId"><see langword="null"/> for the root span.</param>
/// <param name="Name">The span's name.</param>
/// <param name="Service">The process that sent it.</param>
/// <param name="StartedAt">Unix nanoseconds.</param>
/// <param name="IsError">Whether its status is an error.</param>
/// <param name="Attributes">String attributes only.</param>
internal sealed record DashboardSpan(
    string TraceId, string Id, string? ParentId, string Name, string Service, long StartedAt, bool IsError,
    IReadOnlyDictionary<string, string> Attributes);

/// <param name="TraceId">The trace that it belongs to, if any.</param>
/// <param name="Service">The process that sent it.</param>
/// <param name="Message">The formatted message.</param>
internal sealed record DashboardLog(string? TraceId, string Service, string Message);
