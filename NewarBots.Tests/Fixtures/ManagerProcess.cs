using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// The real manager as a process with its own port, storage folder and stack. It can be killed and restarted on the same port. Its output is
/// kept for failure messages.
/// </summary>
internal sealed class ManagerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);

    private readonly Dictionary<string, string> _settings;
    private readonly List<string> _output = [];
    private readonly bool _isSecond;
    private int _user;
    private Process? _process;

    private ManagerProcess(int port, string storage, Dictionary<string, string> settings, ManagerProcess? first = null)
    {
        Port = port;
        Storage = storage;
        Stack = first?.Stack ?? $"test-{SessionId.New(TimeProvider.System)}";
        _isSecond = first is not null;
        _settings = settings;
        _settings["Launching__Stack"] = Stack;
        _settings["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        Api = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public int Port { get; }

    public string Storage { get; }

    /// <summary>The label of this manager's containers.</summary>
    public string Stack { get; }

    public HttpClient Api { get; }

    public int ProcessId => _process!.Id;

    /// <summary>Resident memory.</summary>
    public long Megabytes
    {
        get
        {
            _process!.Refresh();
            return _process.WorkingSet64 / 1024 / 1024;
        }
    }

    /// <summary>Number of open files and sockets.</summary>
    public int Handles => Directory.GetFileSystemEntries($"/proc/{ProcessId}/fd").Length;

    public string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    public static Task<ManagerProcess> StartAsync(string redis, params (string Name, string Value)[] settings) => StartAsUserAsync(user: 0, redis, settings);

    /// <param name="user">The user id that it runs as, with the group of the engine's socket; 0 for the user of the tests.</param>
    /// <param name="redis">StackExchange.Redis configuration.</param>
    /// <param name="settings">Environment variables.</param>
    public static async Task<ManagerProcess> StartAsUserAsync(int user, string redis, params (string Name, string Value)[] settings)
    {
        var port = TestPort.Next();
        var storage = Directory.CreateTempSubdirectory("newarbots-storage-").FullName;
        var all = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ConnectionStrings__redis"] = redis,
            ["Storage__Path"] = storage,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Empty,
        };
        foreach (var (name, value) in settings)
            all[name] = value;
        var manager = new ManagerProcess(port, storage, all) { _user = user };
        if (user != 0)
        {
            await CliWrap.Cli.Wrap("chown").WithArguments([$"{user}", storage]).ExecuteAsync();
            all["HOME"] = storage;
        }

        await manager.StartAsync();
        return manager;
    }

    /// <summary>Starts another manager with the same Redis, storage and stack, on another port. Dispose it before this one.</summary>
    public async Task<ManagerProcess> StartAnotherAsync()
    {
        var another = new ManagerProcess(TestPort.Next(), Storage, new(_settings), first: this);
        await another.StartAsync();
        return another;
    }

    public async Task StartAsync(params (string Name, string Value)[] changes)
    {
        foreach (var (name, value) in changes)
            _settings[name] = value;
        string[] user = _user == 0 ? [] : ["setpriv", $"--reuid={_user}", $"--regid={_user}", $"--groups={await DockerCli.SocketGroupAsync()}"];
        string[] command = [.. user, "dotnet", typeof(Manager.Bots.Bot).Assembly.Location];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in _settings)
            start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException("The manager did not start.");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(
            async () =>
            {
                if (_process.HasExited)
                    throw new InvalidOperationException($"The manager exited with {_process.ExitCode}:\n{Output}");
                try
                {
                    return (await Api.GetAsync(new Uri("/alive", UriKind.Relative))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            StartTimeout);
    }

    /// <summary>Sends SIGTERM, like a deployment, and waits until the process has exited.</summary>
    public async Task TerminateAsync()
    {
        await CliWrap.Cli.Wrap("kill").WithArguments(["-TERM", $"{ProcessId}"]).ExecuteAsync();
        await _process!.WaitForExitAsync().WaitAsync(StartTimeout, TimeProvider.System);
    }

    /// <summary>Sends SIGKILL.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (json is not null)
            request.Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Api.SendAsync(request);
        return (response.StatusCode, await ReadAsync(response));
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> GetAsync(string path)
    {
        using var response = await Api.GetAsync(new Uri(path, UriKind.Relative));
        return (response.StatusCode, await ReadAsync(response));
    }

    /// <summary>Meeting URL of a rehearsal on this manager.</summary>
    public string Rehearsal(string query) => $"http://localhost:{Port}/rehearsal/abc-defg-hij?{query}";

    /// <summary>Posts a bot and returns its id.</summary>
    public async Task<string> RecordAsync(string meetingUrl, object? leave = null, string userId = "anna")
    {
        var (status, bot) = await PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl, userId, leave = leave ?? new { } }));
        Assert.True(status is HttpStatusCode.Accepted, $"{status}: {bot}");
        return (string)bot!["id"]!;
    }

    /// <summary>Waits until the bot has one of these statuses. Fails at once if it ends with another one.</summary>
    public async Task<JsonNode> UntilAsync(string id, TimeSpan timeout, params string[] statuses)
    {
        JsonNode? bot = null;
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    bot = (await GetAsync($"/bots/{id}")).Body;
                    var status = (string?)bot?["status"];
                    if (statuses.Contains(status))
                        return true;
                    return status is "completed" or "failed" or "cancelled" ? throw new InvalidOperationException("The bot ended with another status.") : false;
                },
                timeout);
            return bot!;
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            var log = (await Api.GetAsync(new Uri($"/bots/{id}/logs", UriKind.Relative))).Content;
            throw new InvalidOperationException(
                $"Bot {id} is not {string.Join(" or ", statuses)}: {bot}\n--- its container:\n{await log.ReadAsStringAsync()}\n--- the manager:\n{Output}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            Kill();
        _process?.Dispose();
        Api.Dispose();
        if (_isSecond)
            return;
        await DockerCli.RemoveStackAsync(Stack);
        Directory.Delete(Storage, recursive: true);
    }

    /// <inheritdoc cref="TestPort.Next"/>
    public static int FreePort() => TestPort.Next();

    private static async Task<JsonNode?> ReadAsync(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json"
            ? await response.Content.ReadFromJsonAsync<JsonNode>()
            : null;

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_output)
            _output.Add(line.Data);
    }
}
