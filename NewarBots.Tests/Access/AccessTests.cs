using System.Net;
using NewarBots.Manager.Access;

namespace NewarBots.Tests.Access;

/// <summary>Who is let in, and how far, at a real manager.</summary>
public sealed class AccessTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    private const string Unknown = "0199aaaabbbbccccddddeeeeffff0001";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

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
    public async Task Without_a_key_there_is_nothing_to_see(string method, string path)
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
    public async Task What_says_nothing_of_anybody_is_open(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", path)).Status);

    [Fact]
    public async Task How_it_is_is_told_to_all_and_why_to_admins()
    {
        Assert.Equal("status", Assert.Single((await keyed.AskAsync(key: null, "GET", "/health")).Body!.AsObject()).Key);
        Assert.Equal("status", Assert.Single((await keyed.AskAsync(keyed.Anna, "GET", "/health")).Body!.AsObject()).Key);
        Assert.NotNull((await keyed.AskAsync(keyed.Admin, "GET", "/health")).Body!["checks"]!["docker"]);
    }

    [Fact]
    public async Task A_key_is_taken_from_either_header()
    {
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(keyed.Anna, "GET", "/bots")).Status);
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", "/bots", json: null, ("Authorization", $"Bearer {keyed.Anna}"))).Status);
        Assert.Equal("key-required", (await keyed.AskAsync(key: null, "GET", "/bots", json: null, ("Authorization", "Basic b3BlcmF0b3I6cHc="))).Problem);
    }

    [Fact]
    public async Task Anothers_bot_is_no_other_than_one_that_there_is_not()
    {
        var id = await keyed.SendBotAsync(keyed.Anna);
        var document = (await keyed.AskAsync(key: null, "GET", "/openapi/v1.json")).Body!;
        var calls = from path in document["paths"]!.AsObject()
                    where path.Key.StartsWith("/bots/{id}", StringComparison.Ordinal)
                    from operation in path.Value!.AsObject()
                    select (Method: operation.Key.ToUpperInvariant(), Path: path.Key);
        string[] ofThePage = ["/page/bots/{id}/waveform", "/page/bots/{id}/pictures", "/page/bots/{id}/pictures/0"];

        foreach (var (method, path) in calls.Concat(ofThePage.Select(path => (Method: "GET", Path: path))))
        {
            var anothers = await keyed.AskAsync(keyed.Bert, method, path.Replace("{id}", id, StringComparison.Ordinal));
            var nobodys = await keyed.AskAsync(keyed.Bert, method, path.Replace("{id}", Unknown, StringComparison.Ordinal));
            foreach (var answer in (Answer[])[anothers, nobodys])
                answer.Body!.AsObject().Remove("traceId");

            Assert.Equal((HttpStatusCode.NotFound, "bot-not-found"), (anothers.Status, anothers.Problem));
            Assert.Equal((nobodys.Status, nobodys.Body!.ToJsonString()), (anothers.Status, anothers.Body!.ToJsonString()));
            Assert.Equal(nobodys.Headers.Keys.Order(), anothers.Headers.Keys.Order());
        }

        Assert.Equal("queued", (string?)(await keyed.AskAsync(keyed.Anna, "GET", $"/bots/{id}")).Body!["status"]);
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(keyed.Admin, "GET", $"/bots/{id}")).Status);
    }

    [Fact]
    public async Task A_list_has_the_bots_of_whom_the_key_is_and_an_admins_all()
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
    public async Task Events_tell_of_the_bots_of_whom_the_key_is()
    {
        var berts = await keyed.SendBotAsync(keyed.Bert);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bots/events") { Headers = { { "X-API-Key", keyed.Anna } } };
        using var response = await keyed.Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var heard = string.Empty;
        var bertsNext = await keyed.SendBotAsync(keyed.Bert);
        var annas = await keyed.SendBotAsync(keyed.Anna);

        using var deadline = new CancellationTokenSource(Patience);
        while (!heard.Contains(annas, StringComparison.Ordinal))
            heard += await reader.ReadLineAsync(deadline.Token);

        Assert.DoesNotContain(berts, heard, StringComparison.Ordinal);
        Assert.DoesNotContain(bertsNext, heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_is_its_senders_and_only_an_admin_names_another()
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
    public async Task The_same_idempotency_key_of_two_users_gives_two_bots()
    {
        var body = KeyedManager.BotJson();
        var annas = await keyed.AskAsync(keyed.Anna, "POST", "/bots", body, ("Idempotency-Key", "same"));
        var berts = await keyed.AskAsync(keyed.Bert, "POST", "/bots", body, ("Idempotency-Key", "same"));
        var again = await keyed.AskAsync(keyed.Anna, "POST", "/bots", body, ("Idempotency-Key", "same"));

        Assert.NotEqual((string?)annas.Body!["id"], (string?)berts.Body!["id"]);
        Assert.Equal((string?)annas.Body["id"], (string?)again.Body!["id"]);
    }

    [Fact]
    public async Task An_admin_makes_lists_and_revokes_keys_and_a_user_does_not()
    {
        foreach (var (method, path) in ((string, string)[])[("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/1f0c3b5a7d92")])
        {
            var refused = await keyed.AskAsync(keyed.Anna, method, path, method is "POST" ? """{"name": "mine", "role": "admin"}""" : null);
            Assert.Equal((HttpStatusCode.Forbidden, "not-allowed"), (refused.Status, refused.Problem));
        }

        var made = await keyed.AskAsync(keyed.Admin, "POST", "/keys", """{"name": "Carla's", "userId": "carla"}""");
        var (id, secret) = ((string)made.Body!["id"]!, (string)made.Body["secret"]!);
        Assert.Equal((HttpStatusCode.Created, $"/keys/{id}"), (made.Status, made.Headers["Location"]));
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
    public async Task What_is_wrong_with_a_wanted_key_is_named(string json, string field)
    {
        var answer = await keyed.AskAsync(keyed.Admin, "POST", "/keys", json);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(field, Assert.Single(answer.Body!["errors"]!.AsObject()).Key);
    }

    [Fact]
    public async Task A_browser_that_has_shown_a_key_is_let_in_by_its_cookie_until_it_signs_out()
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
    public async Task What_a_cookie_lets_in_changes_something_only_where_it_says_that_it_is_of_the_managers_own_page(string? header, string? value, bool isLetIn)
    {
        var (cookie, _) = CookieOf(await keyed.AskAsync(keyed.Anna, "POST", "/session"));
        value = value?.Replace("PORT", $"{keyed.Manager.Port}", StringComparison.Ordinal).Replace("KEY", keyed.Anna, StringComparison.Ordinal);

        var answer = await keyed.AskAsync(key: null, "POST", "/session", json: null, [("Cookie", cookie), .. header is null ? [] : new[] { (header, value!) }]);

        Assert.Equal((isLetIn ? HttpStatusCode.OK : HttpStatusCode.Forbidden, isLetIn ? null : "cross-site-request"), (answer.Status, answer.Problem));
        Assert.Equal(HttpStatusCode.OK, (await keyed.AskAsync(key: null, "GET", "/session", json: null, ("Cookie", cookie))).Status);
    }

    [Fact]
    public async Task Behind_tls_the_cookie_never_goes_out_in_the_clear() =>
        Assert.Contains("secure", CookieOf(await keyed.AskAsync(keyed.Anna, "POST", "/session", json: null, ("X-Forwarded-Proto", "https"))).Attributes);

    [Fact]
    public async Task A_sessions_secret_is_no_key()
    {
        var (cookie, _) = CookieOf(await keyed.AskAsync(keyed.Admin, "POST", "/session"));

        Assert.Equal("key-not-valid", (await keyed.AskAsync(cookie.Split('=')[1], "GET", "/keys")).Problem);
    }

    /// <summary>As browsers say it.</summary>
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
            await (await stream.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null).WaitAsync(Patience, TimeProvider.System);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            // Cut off.
        }
    }
}
