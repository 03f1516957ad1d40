using System.Net;
using NewarBots.Manager.Access;

namespace NewarBots.Tests.Access;

/// <summary>Authentication and authorization of a real manager with keys.</summary>
public sealed class AccessTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    private const string Unknown = "0199aaaabbbbccccddddeeeeffff0001";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("GET", "/bots")]
    [InlineData("POST", "/bots")]
    [InlineData("GET", "/bots/events")]
    [InlineData("GET", $"/bots/{Unknown}")]
    [InlineData("GET", $"/bots/{Unknown}/recording")]
    [InlineData("GET", $"/page/bots/{Unknown}/waveform")]
    [InlineData("GET", "/page/scenarios")]
    [InlineData("GET", "/keys")]
    [InlineData("POST", "/session")]
    [InlineData("GET", "/nowhere")]
    public async Task Requests_without_a_valid_key_get_401(string method, string path)
    {
        var without = await keyed.AskAsync(key: null, method, path, method is "POST" ? "{}" : null);
        Assert.Equal((HttpStatusCode.Unauthorized, "key-required", "Bearer"), (without.Status, without.Problem, without.Headers["WWW-Authenticate"]));

        var wrong = await keyed.AskAsync(Credential.New().Text, method, path, method is "POST" ? "{}" : null);
        Assert.Equal((HttpStatusCode.Unauthorized, "key-not-valid"), (wrong.Status, wrong.Problem));
        Assert.StartsWith("Bearer", wrong.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/alive")]
    [InlineData("/")]
    [InlineData("/page/page.js")]
    [InlineData("/rehearsal/abc-defg-hij")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/scalar/")]
    public async Task Endpoints_without_private_data_need_no_key(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", path)).Status);

    [Fact]
    public async Task Health_shows_its_checks_to_admins_only()
    {
        Assert.Equal("status", Assert.Single((await keyed.AskAsync(key: null, "GET", "/health")).Body!.AsObject()).Key);
        Assert.Equal("status", Assert.Single((await keyed.AskAsync(keyed.Anna, "GET", "/health")).Body!.AsObject()).Key);
        Assert.NotNull((await keyed.AskAsync(keyed.Admin, "GET", "/health")).Body!["checks"]!["docker"]);
    }

    [Fact]
    public async Task A_key_is_accepted_in_either_header()
    {
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(keyed.Anna, "GET", "/bots")).Status);
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", "/bots", json: null, ("Authorization", $"Bearer {keyed.Anna}"))).Status);
        Assert.Equal("key-required", (await keyed.AskAsync(key: null, "GET", "/bots", json: null, ("Authorization", "Basic b3BlcmF0b3I6cHc="))).Problem);
    }

    [Fact]
    public async Task Bots_of_other_users_look_like_bots_that_do_not_exist()
    {
        var id = await keyed.SendBotAsync(keyed.Anna);
        var document = (await keyed.AskAsync(key: null, "GET", "/openapi/v1.json")).Body!;
        var calls = from path in document["paths"]!.AsObject()
                    where path.Key.StartsWith("/bots/{id}", StringComparison.Ordinal)
                    from operation in path.Value!.AsObject()
                    select (Method: operation.Key.ToUpperInvariant(), Path: path.Key);
        string[] pagePaths = ["/page/bots/{id}/waveform", "/page/bots/{id}/pictures", "/page/bots/{id}/pictures/0"];

        foreach (var (method, path) in calls.Concat(pagePaths.Select(path => (Method: "GET", Path: path))))
        {
            var ofAnotherUser = await keyed.AskAsync(keyed.Bert, method, path.Replace("{id}", id, StringComparison.Ordinal));
            var missing = await keyed.AskAsync(keyed.Bert, method, path.Replace("{id}", Unknown, StringComparison.Ordinal));
            foreach (var answer in (Answer[])[ofAnotherUser, missing])
                answer.Body!.AsObject().Remove("traceId");

            Assert.Equal((HttpStatusCode.NotFound, "bot-not-found"), (ofAnotherUser.Status, ofAnotherUser.Problem));
            Assert.Equal((missing.Status, missing.Body!.ToJsonString()), (ofAnotherUser.Status, ofAnotherUser.Body!.ToJsonString()));
            Assert.Equal(missing.Headers.Keys.Order(), ofAnotherUser.Headers.Keys.Order());
        }

        Assert.Equal("queued", (string?)(await keyed.AskAsync(keyed.Anna, "GET", $"/bots/{id}")).Body!["status"]);
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(keyed.Admin, "GET", $"/bots/{id}")).Status);
    }

    [Fact]
    public async Task A_list_contains_the_bots_of_the_keys_user_and_all_bots_for_an_admin()
    {
        var (annas, berts) = (await keyed.SendBotAsync(keyed.Anna), await keyed.SendBotAsync(keyed.Bert));

        var annasList = await IdsAsync(keyed.Anna, "/bots?limit=200");
        Assert.Contains(annas, annasList);
        Assert.DoesNotContain(berts, annasList);
        Assert.Equal(annasList, await IdsAsync(keyed.Anna, "/bots?limit=200&userId=anna"));
        Assert.Superset(new HashSet<string> { annas, berts }, (await IdsAsync(keyed.Admin, "/bots?limit=200")).ToHashSet());
        Assert.Equal("must be anna, the user of the key", Fault(await keyed.AskAsync(keyed.Anna, "GET", "/bots?userId=bert")));
        Assert.Equal("must be anna, the user of the key", Fault(await keyed.AskAsync(keyed.Anna, "GET", "/bots/events?userId=bert")));

        async Task<string[]> IdsAsync(string key, string path) =>
            [.. (await keyed.AskAsync(key, "GET", path)).Body!["items"]!.AsArray().Select(bot => (string)bot!["id"]!)];
    }

    [Fact]
    public async Task Events_report_only_the_bots_of_the_keys_user()
    {
        var berts = await keyed.SendBotAsync(keyed.Bert);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bots/events") { Headers = { { "X-API-Key", keyed.Anna } } };
        using var response = await keyed.Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var received = string.Empty;
        var bertsNext = await keyed.SendBotAsync(keyed.Bert);
        var annas = await keyed.SendBotAsync(keyed.Anna);

        using var deadline = new CancellationTokenSource(Timeout);
        while (!received.Contains(annas, StringComparison.Ordinal))
            received += await reader.ReadLineAsync(deadline.Token);

        Assert.DoesNotContain(berts, received, StringComparison.Ordinal);
        Assert.DoesNotContain(bertsNext, received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_belongs_to_the_keys_user_and_only_an_admin_may_choose_another_user()
    {
        Assert.Equal("anna", await UserOfAsync(keyed.Anna, userId: null));
        Assert.Equal("anna", await UserOfAsync(keyed.Anna, "anna"));
        Assert.Equal("root", await UserOfAsync(keyed.Admin, userId: null));
        Assert.Equal("carla", await UserOfAsync(keyed.Admin, "carla"));
        Assert.Equal("must be anna, the user of the key", Fault(await keyed.AskAsync(keyed.Anna, "POST", "/bots", KeyedManager.BotJson("bert"))));

        async Task<string?> UserOfAsync(string key, string? userId) =>
            (string?)(await keyed.AskAsync(key, "POST", "/bots", KeyedManager.BotJson(userId))).Body!["userId"];
    }

    [Fact]
    public async Task An_idempotency_key_counts_for_the_api_key_whichever_user_gets_the_bot()
    {
        (string, string) header = ("Idempotency-Key", "users");
        var first = await keyed.AskAsync(keyed.Admin, "POST", "/bots", KeyedManager.BotJson("anna"), header);

        Assert.Equal("idempotency-key-reused", (await keyed.AskAsync(keyed.Admin, "POST", "/bots", KeyedManager.BotJson("bert"), header)).Problem);
        Assert.Equal(HttpStatusCode.Accepted, (await keyed.AskAsync(keyed.Anna, "POST", "/bots", KeyedManager.BotJson(), header)).Status);
        Assert.Equal(HttpStatusCode.Accepted, first.Status);
    }

    [Fact]
    public async Task The_same_idempotency_key_of_two_users_creates_two_bots()
    {
        var body = KeyedManager.BotJson();
        var annas = await keyed.AskAsync(keyed.Anna, "POST", "/bots", body, ("Idempotency-Key", "same"));
        var berts = await keyed.AskAsync(keyed.Bert, "POST", "/bots", body, ("Idempotency-Key", "same"));
        var again = await keyed.AskAsync(keyed.Anna, "POST", "/bots", body, ("Idempotency-Key", "same"));

        Assert.NotEqual((string?)annas.Body!["id"], (string?)berts.Body!["id"]);
        Assert.Equal((string?)annas.Body["id"], (string?)again.Body!["id"]);
    }

    [Fact]
    public async Task Only_admins_can_create_list_and_revoke_keys()
    {
        foreach (var (method, path) in ((string, string)[])[("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/1f0c3b5a7d92")])
        {
            var rejected = await keyed.AskAsync(keyed.Anna, method, path, method is "POST" ? """{"name": "mine", "role": "admin"}""" : null);
            Assert.Equal((HttpStatusCode.Forbidden, "not-allowed"), (rejected.Status, rejected.Problem));
        }

        var created = await keyed.AskAsync(keyed.Admin, "POST", "/keys", """{"name": "Carla's", "userId": "carla"}""");
        var (id, secret) = ((string)created.Body!["id"]!, (string)created.Body["secret"]!);
        Assert.Equal((HttpStatusCode.Created, $"/keys/{id}"), (created.Status, created.Headers["Location"]));
        Assert.Equal("carla", (string?)(await keyed.AskAsync(secret, "GET", "/session")).Body!["userId"]);

        var list = (await keyed.AskAsync(keyed.Admin, "GET", "/keys")).Body!;
        Assert.Contains(list["items"]!.AsArray(), key => (string?)key!["id"] == id);
        Assert.DoesNotContain(secret[^64..], list.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hash", list.ToJsonString(), StringComparison.OrdinalIgnoreCase);

        using var stream = await OpenEventsAsync(secret);
        Assert.Equal(HttpStatusCode.NoContent, (await keyed.AskAsync(keyed.Admin, "DELETE", $"/keys/{id}")).Status);
        Assert.Equal("key-not-valid", (await keyed.AskAsync(secret, "GET", "/bots")).Problem);
        Assert.Equal("key-not-found", (await keyed.AskAsync(keyed.Admin, "DELETE", $"/keys/{id}")).Problem);
        await AssertEndsAsync(stream);
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name": " a"}""", "name")]
    [InlineData("""{"name": "a\nb"}""", "name")]
    [InlineData("""{"name": 1}""", "name")]
    [InlineData("""{"name": "a", "userId": "A"}""", "userId")]
    [InlineData("""{"name": "a", "role": "owner"}""", "role")]
    [InlineData("""{"name": "a", "hash": "x"}""", "hash")]
    [InlineData("""[]""", "body")]
    [InlineData("""{""", "body")]
    [InlineData("""{"name": "\ud800"}""", "name")]
    public async Task An_invalid_field_of_a_new_key_is_named(string json, string field)
    {
        var answer = await keyed.AskAsync(keyed.Admin, "POST", "/keys", json);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(field, Assert.Single(answer.Body!["errors"]!.AsObject()).Key);
    }

    [Fact]
    public async Task A_session_cookie_is_accepted_until_the_browser_signs_out()
    {
        var signedIn = await keyed.AskAsync(keyed.Anna, "POST", "/session");
        Assert.Equal((HttpStatusCode.OK, "anna", "user"), (signedIn.Status, (string?)signedIn.Body!["userId"], (string?)signedIn.Body["role"]));
        var (cookie, attributes) = CookieOf(signedIn);
        Assert.Superset(new HashSet<string> { "path=/", "samesite=strict", "httponly" }, attributes);
        Assert.DoesNotContain("secure", attributes);
        Assert.DoesNotContain(keyed.Anna[^64..], cookie, StringComparison.Ordinal);

        var me = await keyed.AskAsync(key: null, "GET", "/session", json: null, ("Cookie", cookie));
        Assert.Equal(("anna", (string?)signedIn.Body["expiresAt"]), ((string?)me.Body!["userId"], (string?)me.Body["expiresAt"]));
        Assert.Equal("bert", (string?)(await keyed.AskAsync(keyed.Bert, "GET", "/session", json: null, ("Cookie", cookie))).Body!["userId"]);
        Assert.Equal("key-not-valid", (await keyed.AskAsync(Credential.New().Text, "GET", "/session", json: null, ("Cookie", cookie))).Problem);
        Assert.DoesNotContain("Set-Cookie", (await keyed.AskAsync(key: null, "POST", "/session", json: null, ("Cookie", cookie), OwnPage)).Headers.Keys);
        using var stream = await OpenEventsAsync(key: null, ("Cookie", cookie));

        var signedOut = await keyed.AskAsync(key: null, "DELETE", "/session", json: null, ("Cookie", cookie), OwnPage);
        Assert.Equal(HttpStatusCode.NoContent, signedOut.Status);
        Assert.StartsWith("newarbots_session=;", signedOut.Headers["Set-Cookie"], StringComparison.Ordinal);
        Assert.Equal("key-not-valid", (await keyed.AskAsync(key: null, "GET", "/bots", json: null, ("Cookie", cookie))).Problem);
        await AssertEndsAsync(stream);
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Origin", "http://127.0.0.1:PORT", true)]
    [InlineData("Origin", "http://127.0.0.1:1", false)]
    [InlineData("Authorization", "Bearer KEY", true)]
    [InlineData("Authorization", "Basic cHJveHk6cHJveHk=", false)]
    public async Task Changes_by_cookie_are_allowed_only_from_the_managers_own_page(string? header, string? value, bool isAllowed)
    {
        var (cookie, _) = CookieOf(await keyed.AskAsync(keyed.Anna, "POST", "/session"));
        value = value?.Replace("PORT", $"{keyed.Manager.Port}", StringComparison.Ordinal).Replace("KEY", keyed.Anna, StringComparison.Ordinal);

        var answer = await keyed.AskAsync(key: null, "POST", "/session", json: null, [("Cookie", cookie), .. header is null ? [] : new[] { (header, value!) }]);

        Assert.Equal((isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, isAllowed ? null : "cross-site-request"), (answer.Status, answer.Problem));
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", "/session", json: null, ("Cookie", cookie))).Status);
    }

    [Fact]
    public async Task Behind_TLS_the_session_cookie_is_marked_secure() =>
        Assert.Contains("secure", CookieOf(await keyed.AskAsync(keyed.Anna, "POST", "/session", json: null, ("X-Forwarded-Proto", "https"))).Attributes);

    [Fact]
    public async Task A_session_cannot_be_used_as_a_key()
    {
        var (cookie, _) = CookieOf(await keyed.AskAsync(keyed.Admin, "POST", "/session"));

        Assert.Equal("key-not-valid", (await keyed.AskAsync(cookie.Split('=')[1], "GET", "/keys")).Problem);
    }

    /// <summary>The header that browsers send on requests of the manager's own page.</summary>
    private static (string Name, string Value) OwnPage => ("Sec-Fetch-Site", "same-origin");

    private static string? Fault(Answer answer) =>
        answer.Status is HttpStatusCode.BadRequest ? (string?)answer.Body!["errors"]!["userId"]![0] : $"{answer.Status}: {answer.Body}";

    private static (string Cookie, HashSet<string> Attributes) CookieOf(Answer answer)
    {
        var parts = answer.Headers["Set-Cookie"].Split("; ");
        return (parts[0], [.. parts[1..]]);
    }

    private async Task<HttpResponseMessage> OpenEventsAsync(string? key, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bots/events");
        if (key is not null)
            request.Headers.Add("X-API-Key", key);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        var response = await keyed.Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    private static async Task AssertEndsAsync(HttpResponseMessage stream)
    {
        try
        {
            await (await stream.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null).WaitAsync(Timeout, TimeProvider.System);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            // The manager aborted the connection.
        }
    }
}
