using NewarBots.Contract;

namespace NewarBots.Tests.Contract;

public sealed class StorageStateTests
{
    [Fact]
    public void A_state_saved_by_Playwright_can_be_read()
    {
        var state = StorageState.Parse("""
            {
              "cookies": [
                { "name": "__Secure-1PSID", "value": "g.a000=", "domain": ".google.com", "path": "/", "expires": 1798761600.5,
                  "httpOnly": true, "secure": true, "sameSite": "None", "partitionKey": "https://example.com" }
              ],
              "origins": [
                { "origin": "https://meet.google.com", "localStorage": [{ "name": "key", "value": "" }], "indexedDB": [] }
              ]
            }
            """);

        Assert.Equal(
            new StoredCookie("__Secure-1PSID", "g.a000=", ".google.com", "/", 1798761600.5, HttpOnly: true, Secure: true, CookieSameSite.None),
            Assert.Single(state.Cookies));
        var origin = Assert.Single(state.Origins!);
        Assert.Equal(("https://meet.google.com", new StoredItem("key", "")), (origin.Origin, Assert.Single(origin.LocalStorage)));
    }

    [Theory]
    [InlineData("""{"name":"","value":"v","domain":"a.b"}""", ".name")]
    [InlineData("""{"name":"a;b","value":"v","domain":"a.b"}""", ".name")]
    [InlineData("""{"name":"a","value":"v\n","domain":"a.b"}""", ".value")]
    [InlineData("""{"name":"a","value":"v","domain":"https://a.b"}""", ".domain")]
    [InlineData("""{"name":"a","value":"v","domain":""}""", ".domain")]
    [InlineData("""{"name":"a","value":"v","domain":"a.b","path":"x"}""", ".path")]
    [InlineData("""{"name":"a","value":"v","domain":"a.b","expires":-2}""", ".expires")]
    [InlineData("""{"name":"a","value":"v","domain":"a.b","expires":"soon"}""", ".expires")]
    [InlineData("""{"name":"a","value":"v","domain":"a.b","sameSite":"unspecified"}""", ".sameSite")]
    [InlineData("""{"name":"a","value":"v","domain":"a.b","sameSite":"None"}""", ".sameSite")]
    [InlineData("""{"name":"__Secure-a","value":"v","domain":"a.b"}""", "")]
    [InlineData("""{"name":"__Host-a","value":"v","domain":".a.b","secure":true}""", "")]
    [InlineData("""{"name":"a","value":"v"}""", "")]
    [InlineData("null", "")]
    public void An_invalid_cookie_is_rejected_with_its_line_and_path(string cookie, string property)
    {
        var json = $$"""
            {
              "cookies": [
                { "name": "first", "value": "v", "domain": "a.b" },
                {{cookie}}
              ]
            }
            """;

        var fault = Assert.Throws<InvalidStorageStateException>(() => StorageState.Parse(json)).Faults[0];

        Assert.StartsWith($"line 4, $.cookies[1]{property}: ", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"cookies":[]}""", "line 1, $: has neither")]
    [InlineData("""{"cookies":[],"origins":[{"origin":"https://a.b","localStorage":[]}]}""", "line 1, $: has neither")]
    [InlineData("""{"origins":[]}""", "line 1, $: lacks 'cookies'")]
    [InlineData("""[]""", "line 1, $: has a value of the wrong kind")]
    [InlineData("""{"cookies":[],"origins":[{"origin":"https://a.b/c","localStorage":[{"name":"a","value":"b"}]}]}""", "line 1, $.origins[0].origin: ")]
    [InlineData("""{"cookies":[],"origins":[{"origin":"a.b","localStorage":[{"name":"a","value":"b"}]}]}""", "line 1, $.origins[0].origin: ")]
    [InlineData("""{"cookies":[],"origins":[{"origin":"https://a.b","localStorage":[{"name":"a","value":1}]}]}""", "line 1, $.origins[0].localStorage[0].value: ")]
    [InlineData("""{"cookies":[],"origins":[{"origin":"https://a.b","localStorage":[null]}]}""", "line 1, $.origins[0].localStorage[0]: ")]
    public void An_invalid_file_is_rejected_with_the_location_of_the_error(string json, string fault) =>
        Assert.StartsWith(fault, Assert.Throws<InvalidStorageStateException>(() => StorageState.Parse(json)).Faults[0], StringComparison.Ordinal);

    [Fact]
    public void No_message_or_string_reveals_a_secret()
    {
        const string Secret = "5e5e5e";
        var cookie = new StoredCookie("a", Secret, "a.b");
        var item = new StoredItem("k", Secret);
        var state = new StorageState([cookie], [new("https://a.b", [item])]);
        var rejected = Assert.Throws<InvalidStorageStateException>(() => StorageState.Parse(
            $$"""{"cookies":[{"name":"a","value":"{{Secret}};","domain":"a.b"},{"name":"b","value":"{{Secret}}\u0000","domain":"a b"}]}"""));

        Assert.All([$"{cookie}", $"{item}", $"{state}", $"{state.Origins![0]}", rejected.Message], text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));
    }
}
