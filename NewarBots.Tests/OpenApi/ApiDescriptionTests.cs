using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.OpenApi;

/// <summary>The OpenAPI document matches the API.</summary>
public sealed class ApiDescriptionTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    private static readonly string[] Methods = ["get", "post", "patch", "delete"];

    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task OpenAPI_document_matches_the_golden_file()
    {
        var actual = (await DocumentAsync()).ToJsonString(Indented);
        var golden = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "OpenApi", "openapi.golden.json"), TestContext.Current.CancellationToken);

        var changed = Path.Combine(Path.GetTempPath(), "newarbots-openapi.json");
        if (actual != golden.TrimEnd())
            await File.WriteAllTextAsync(changed, actual + "\n", TestContext.Current.CancellationToken);
        Assert.True(actual == golden.TrimEnd(), $"The OpenAPI document has changed. Compare {changed} with NewarBots.Tests/OpenApi/openapi.golden.json, and copy it there if the change is intended.");
    }

    [Fact]
    public async Task Every_operation_answers_as_documented()
    {
        var document = await DocumentAsync();
        var (_, created) = await Manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/dri-vene-ach", "userId": "driver"}""");
        foreach (var (path, method, operation) in Operations(document))
        {
            foreach (var id in (string[])[(string)created!["id"]!, "0199aaaabbbbccccddddeeeeffff0001"])
            {
                foreach (var withOptional in (bool[])[false, true])
                    await DriveAsync(document, path, method, operation, id, withOptional);
            }
        }
    }

    [Fact]
    public async Task Every_operation_and_parameter_is_documented()
    {
        foreach (var (path, method, operation) in Operations(await DocumentAsync()))
        {
            Assert.True(operation["summary"] is not null && operation["description"] is not null, $"{method} {path}");
            foreach (var parameter in Parameters(operation))
                Assert.True(parameter["description"] is not null && parameter["schema"] is not null && HasExample(parameter), $"{method} {path}: {parameter}");
            foreach (var name in Regex.Matches(path, @"\{(?<name>\w+)\}", RegexOptions.ExplicitCapture, OneSecond).Select(match => match.Groups["name"].Value))
                Assert.Contains(Parameters(operation), parameter => (string?)parameter["name"] == name && (string?)parameter["in"] == "path");
        }
    }

    [Fact]
    public async Task Schema_of_a_bot_has_all_members()
    {
        var described = (await DocumentAsync())["components"]!["schemas"]!;

        Assert.Equal(NamesOf(typeof(BotResponse)), described["Bot"]!["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(NamesOf(typeof(LeaveResponse)), described["Leave"]!["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(NamesOf(typeof(RecordingResponse)), described["Recording"]!["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(NamesOf(typeof(BotPage)), described["BotPage"]!["properties"]!.AsObject().Select(property => property.Key));
    }

    [Fact]
    public async Task Schemas_of_keys_and_sessions_have_all_members()
    {
        var described = (await DocumentAsync())["components"]!["schemas"]!;

        foreach (var (name, type) in ((string, Type)[])
            [("CreateKey", typeof(CreateKeyRequest)), ("Key", typeof(KeyResponse)), ("NewKey", typeof(NewKeyResponse)), ("KeyList", typeof(KeyListResponse)), ("Session", typeof(SessionResponse))])
            Assert.Equal(NamesOf(type), described[name]!["properties"]!.AsObject().Select(property => property.Key));
    }

    [Fact]
    public async Task Schemas_of_the_manifest_have_all_members()
    {
        var schemas = (await DocumentAsync())["components"]!["schemas"]!;

        foreach (var type in (Type[])
            [typeof(RecordingManifest), typeof(ManifestChunk), typeof(Gap), typeof(ManifestSpeaker), typeof(SpeakerSegment), typeof(ManifestTrack), typeof(IgnoredFile)])
            Assert.Equal(NamesOf(type), schemas[type.Name]!["properties"]!.AsObject().Select(property => property.Key));
    }

    [Theory]
    [InlineData("Range", "bytes=99999999-", HttpStatusCode.RequestedRangeNotSatisfiable, "range-not-satisfiable")]
    [InlineData("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT", HttpStatusCode.PreconditionFailed, "precondition-failed")]
    [InlineData("If-Modified-Since", null, HttpStatusCode.NotModified, null)]
    public async Task Ranges_and_conditions_are_answered_as_documented(
        string header, string? value, HttpStatusCode status, string? type)
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Conditions");
        var document = await DocumentAsync();
        foreach (var (path, method) in ((string, HttpMethod)[])[("recording", HttpMethod.Get), ("recording", HttpMethod.Head), ("manifest", HttpMethod.Get)])
        {
            using var request = new HttpRequestMessage(method, $"/bots/{id}/{path}");
            using var unconditional = await Manager.Api.GetAsync(request.RequestUri, TestContext.Current.CancellationToken);
            request.Headers.TryAddWithoutValidation(header, value ?? $"{unconditional.Content.Headers.LastModified:R}");
            using var response = await Manager.Api.SendAsync(request, TestContext.Current.CancellationToken);
            if (header is "Range" && path is "manifest")
            {
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                continue;
            }

            Assert.Equal(status, response.StatusCode);
            Assert.NotNull(document["paths"]![$"/bots/{{id}}/{path}"]!["get"]!["responses"]![$"{(int)status}"]);
            if (status is HttpStatusCode.RequestedRangeNotSatisfiable)
                Assert.NotNull(response.Content.Headers.ContentRange);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (method == HttpMethod.Head || type is null)
                Assert.Empty(body);
            else
                Assert.Equal($"urn:newarbots:problem:{type}", (string?)JsonNode.Parse(body)!["type"]);
        }
    }

    [Fact]
    public async Task Schema_of_the_create_request_accepts_exactly_what_the_manager_accepts()
    {
        var schemas = (await DocumentAsync())["components"]!["schemas"]!;
        var schema = schemas["CreateBot"]!;
        var fields = schema["properties"]!.AsObject();
        Assert.Equal(["meetingUrl"], schema["required"]!.AsArray().Select(name => (string)name!));

        Assert.Empty(Faults(new()));
        Assert.Equal(["meetingUrl"], Faults(new() { ["meetingUrl"] = null }));
        Assert.Equal(["undescribed"], Faults(new() { ["undescribed"] = 1 }));
        foreach (var (name, field) in fields.Where(field => field.Key is not "meetingUrl"))
            Assert.True(Faults(new() { [name] = null }).Length == 0 == AllowsNull(field!), name);

        var maxNameLength = (int)fields["botName"]!["maxLength"]!;
        Assert.Empty(Faults(new() { ["botName"] = new string('x', maxNameLength) }));
        Assert.Equal(["botName"], Faults(new() { ["botName"] = new string('x', maxNameLength + 1) }));
        Assert.Equal(["botName"], Faults(new() { ["botName"] = "" }));

        foreach (var user in (string[])["a", "a-b_9", new string('a', 64), new string('a', 65), "A", "", "a b"])
            Assert.True(Regex.IsMatch(user, (string)schemas["UserId"]!["pattern"]!, RegexOptions.None, OneSecond) == (Faults(new() { ["userId"] = user }).Length == 0), user);

        foreach (var (condition, described) in schemas["LeaveConditions"]!["properties"]!.AsObject())
        {
            var (minimum, maximum) = ((double)described!["minimum"]!, (double)described["maximum"]!);
            foreach (var (seconds, isAllowed) in (List<(double, bool)>)[(minimum, true), (minimum - 0.5, false), (maximum, true), (maximum + 1, false)])
                Assert.True(isAllowed == (Faults(new() { ["leave"] = new JsonObject { [condition] = seconds } }).Length == 0), $"{condition} {seconds}");
        }

        var maxEntries = (int)fields["metadata"]!["maxProperties"]!;
        var maxValueLength = (int)fields["metadata"]!["additionalProperties"]!["maxLength"]!;
        Assert.Empty(Faults(new() { ["metadata"] = Metadata(maxEntries, maxValueLength) }));
        Assert.NotEmpty(Faults(new() { ["metadata"] = Metadata(maxEntries + 1, 1) }));
        Assert.NotEmpty(Faults(new() { ["metadata"] = Metadata(1, maxValueLength + 1) }));

        static bool AllowsNull(JsonNode field) => field["oneOf"] is JsonArray alternatives
            ? alternatives.Any(alternative => (string?)alternative!["type"] == "null")
            : field["type"]!.AsArray().Any(type => (string?)type == "null");

        static JsonObject Metadata(int entries, int length) =>
            new(Enumerable.Range(0, entries).Select(entry => KeyValuePair.Create($"key{entry}", (JsonNode?)new string('x', length))));
    }

    [Fact]
    public async Task API_reference_page_loads_nothing_from_other_hosts()
    {
        var page = await Manager.Api.GetStringAsync(new Uri("/scalar/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        foreach (var script in Regex.Matches(page, "src=\"(?<script>[^\"]+)\"", RegexOptions.ExplicitCapture, OneSecond).Select(match => match.Groups["script"].Value))
        {
            using var response = await Manager.Api.GetAsync(new Uri(new Uri(Manager.Api.BaseAddress!, "/scalar/"), script), TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.OK, "text/javascript"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }
    }

    [Fact]
    public async Task API_reference_page_shows_samples_for_this_host_with_a_rehearsal_and_bots_before_keys()
    {
        var document = await DocumentAsync();
        var page = await Manager.Api.GetStringAsync(new Uri("/scalar/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.StartsWith("http://localhost:8082/rehearsal/", (string)document["components"]!["schemas"]!["CreateBot"]!["examples"]![0]!["meetingUrl"]!, StringComparison.Ordinal);
        Assert.Equal("/bots", document["paths"]!.AsObject().First().Key);
        Assert.Contains("\"hideClientButton\":true", page, StringComparison.Ordinal);
        // The second argument says that the page takes the host from its own address.
        Assert.Matches(@"initialize\(\s*'[^']*',\s*true,", page);
    }

    [Theory]
    [InlineData("GET", "/nowhere", "no-such-call")]
    [InlineData("GET", "/bots/not-an-id", "no-such-call")]
    [InlineData("PATCH", "/bots", "method-not-allowed")]
    [InlineData("POST", "/bots", "unsupported-media-type")]
    public async Task Errors_of_ASP_NET_Core_have_a_problem_type(string method, string path, string type)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (method is "POST")
            request.Content = new StringContent("meetingUrl=1", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await Manager.Api.SendAsync(request, TestContext.Current.CancellationToken);

        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal($"urn:newarbots:problem:{type}", (string?)problem["type"]);
        Assert.NotNull((string?)problem["detail"]);
    }

    [Fact]
    public async Task Docs_list_all_problem_types()
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(Repository, "docs", "problems.md"), TestContext.Current.CancellationToken);

        Assert.Equal(
            ProblemTypes.All.Select(type => $"| `{type.Name}` | {type.Status} | {type.Title} | {type.Advice} |"),
            page.Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !line.StartsWith("| `type`", StringComparison.Ordinal)));
    }

    /// <summary>The page to try the API fills in examples. A key that others have used already would only confuse.</summary>
    private static bool HasExample(JsonNode parameter) => parameter["example"] is not null != ((string)parameter["name"]! is "Idempotency-Key");

    private static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "NewarBots.sln")))
                folder = folder.Parent ?? throw new InvalidOperationException("The tests are not inside the repository.");
            return folder.FullName;
        }
    }

    private static string[] Faults(JsonObject changes)
    {
        var body = new JsonObject { ["meetingUrl"] = "https://meet.google.com/abc-defg-hij" };
        foreach (var (name, value) in changes)
            body[name] = value?.DeepClone();
        return [.. CreateBotRequestTests.Read(body.ToJsonString()).Faults.Keys];
    }

    private static IEnumerable<string> NamesOf(Type type) =>
        type.GetProperties().Where(property => !property.IsDefined(typeof(JsonIgnoreAttribute), inherit: true)).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));

    private static IEnumerable<(string Path, string Method, JsonNode Operation)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where Methods.Contains(operation.Key)
        select (path.Key, operation.Key, operation.Value!);

    private static IEnumerable<JsonNode> Parameters(JsonNode operation) => operation["parameters"]?.AsArray().Select(parameter => parameter!) ?? [];

    private async Task<JsonNode> DocumentAsync() => (await Manager.GetAsync("/openapi/v1.json")).Body!;

    private async Task DriveAsync(JsonNode document, string path, string method, JsonNode operation, string id, bool withOptional)
    {
        var query = new List<string>();
        using var request = new HttpRequestMessage { Method = new(method.ToUpperInvariant()) };
        foreach (var parameter in Parameters(operation))
        {
            if (parameter["example"] is not { } example)
                continue;
            var (name, value) = ((string)parameter["name"]!, example.ToString());
            switch ((string)parameter["in"]!)
            {
                case "path":
                    path = path.Replace($"{{{name}}}", id, StringComparison.Ordinal);
                    break;
                case "query" when withOptional:
                    query.AddRange(example switch
                    {
                        JsonArray several => several.Select(one => $"{name}={Uri.EscapeDataString((string)one!)}"),
                        JsonObject named => named.Select(one => $"{one.Key}={Uri.EscapeDataString((string)one.Value!)}"),
                        _ => [$"{name}={Uri.EscapeDataString(value)}"],
                    });
                    break;
                case "header" when withOptional:
                    request.Headers.TryAddWithoutValidation(name, value);
                    break;
            }
        }

        request.RequestUri = new($"{path}?{string.Join('&', query)}", UriKind.Relative);
        if (operation["requestBody"]?["content"]?["application/json"]?["example"] is { } body)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        var message = $"{request} gave {response}";
        var described = operation["responses"]![$"{(int)response.StatusCode}"];
        Assert.True(described is not null, message);
        var contentType = response.Content.Headers.ContentType?.MediaType;
        Assert.True(contentType is null ? described!["content"] is null : described!["content"]?[contentType] is not null, message);
        if (contentType is not "application/problem+json")
            return;
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Contains(
            described!["content"]![contentType]!["examples"]!.AsObject(),
            example => (string?)example.Value!["value"]!["type"] == (string?)problem["type"]);
        Assert.Equal((int)response.StatusCode, (int?)problem["status"]);
        Assert.Contains(
            document["components"]!["schemas"]!["Problem"]!["properties"]!["type"]!["enum"]!.AsArray(),
            type => (string?)type == (string?)problem["type"]);
    }
}
