using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class SelectorPackTests
{
    [Fact]
    public void The_embedded_pack_has_an_entry_for_every_sign() =>
        Assert.Equal(Enum.GetValues<PageSign>().Order(), SelectorPack.Embedded.Entries.Select(entry => entry.Sign).Distinct().Order());

    [Theory]
    [InlineData("""{"id":"a","sign":"denied","text":"No","colour":"red"}""", "$.entries[1].colour", "colour")]
    [InlineData("""{"id":"a","sign":"unheard_of","text":"No"}""", "$.entries[1].sign", "wrong kind")]
    [InlineData("""{"id":"a","sign":"denied","text":"No","css":"b"}""", "$.entries[1]", "exactly one of text, control, css and host")]
    [InlineData("""{"id":"a","sign":"denied","css":" "}""", "$.entries[1]", "exactly one of text, control, css and host")]
    [InlineData("""{"id":"a","sign":"denied"}""", "$.entries[1]", "exactly one of text, control, css and host")]
    [InlineData("""{"id":"first","sign":"denied","text":"1"}""", "$.entries[1].id", "'first' is used twice")]
    [InlineData("""{"id":" ","sign":"denied","text":"1"}""", "$.entries[1].id", "is empty")]
    [InlineData("""{"id":"a","text":"1"}""", "$.entries[1]", "lacks 'sign'")]
    [InlineData("null", "$.entries[1]", "is null")]
    [InlineData("""{"id":"a","sign":"login_needed","host":"https://accounts"}""", "$.entries[1].host", "is not a host name")]
    [InlineData("""{"id":"a","sign":"participant_count","css":"b"}""", "$.entries[1]", "needs a number")]
    [InlineData("""{"id":"a","sign":"participant_count","css":"b","number":"(\\d+"}""", "$.entries[1].number", "is not a valid regular expression")]
    [InlineData("""{"id":"a","sign":"participant_count","css":"b","number":"\\d+"}""", "$.entries[1].number", "first group")]
    [InlineData("""{"id":"a","sign":"participant_count","css":"b","number":"(?i)(\\d+)"}""", "$.entries[1].number", "'(?i' is unknown to JavaScript")]
    [InlineData("""{"id":"a","sign":"participant_count","text":"b","number":"(\\d+)"}""", "$.entries[1].number", "css")]
    [InlineData("""{"id":"a","sign":"denied","text":"b","name":"c"}""", "$.entries[1].name", "css")]
    public void An_invalid_entry_is_rejected_with_its_line_and_path(string entry, string path, string what)
    {
        var json = $$"""
            {
              "name": "x", "version": "1",
              "entries": [
                { "id": "first", "sign": "dialog", "control": "OK" },
                {{entry}}
              ]
            }
            """;

        var fault = Assert.Throws<InvalidSelectorPackException>(() => SelectorPack.Parse(json)).Faults[0];

        Assert.StartsWith($"line 5, {path}: ", fault, StringComparison.Ordinal);
        Assert.Contains(what, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "line 1, $: ")]
    [InlineData("null", "line 1, $: is null")]
    [InlineData("""{"name":"x","version":"1"}""", "line 1, $: lacks 'entries'")]
    [InlineData("""{"name":"x","version":"1","entries":{}}""", "line 1, $.entries: has a value of the wrong kind")]
    [InlineData("""{"name":"","version":"1","entries":[]}""", "line 1, $.name: is empty")]
    [InlineData("""{"name":"x","version":"1","entries":[],"recorders":["("]}""", "line 1, $.recorders[0]: is not a valid regular expression")]
    [InlineData("""{"name":"x","version":"1","entries":[],"neverAnswers":["(?i)leave"]}""", "line 1, $.neverAnswers[0]: is not a valid regular expression in the browser: '(?i'")]
    [InlineData("""{"name":"x","version":"1","entries":[],"neverAnswers":["\\(?leave","[^(?]x","\\p{L}"]}""", "line 1, $.neverAnswers[2]: is not a valid regular expression in the browser: '\\p'")]
    public void An_invalid_file_is_rejected_with_the_position_of_the_error(string json, string fault) =>
        Assert.StartsWith(fault, Assert.Throws<InvalidSelectorPackException>(() => SelectorPack.Parse(json)).Faults[0], StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(SignsNeededToJoin))]
    public void A_pack_without_a_sign_needed_to_join_is_rejected(string sign)
    {
        var pack = JsonNode.Parse(EmbeddedFile.ReadText("Joining.selectors.json"))!.AsObject();
        pack["entries"]!.AsArray().RemoveAll(entry => (string?)entry!["sign"] == sign);

        var refused = Assert.Throws<InvalidSelectorPackException>(() => SelectorPack.Parse(pack.ToJsonString()));

        Assert.Contains($"$.entries: no call can be joined without an entry for {sign}", Assert.Single(refused.Faults), StringComparison.Ordinal);
    }

    public static TheoryData<string> SignsNeededToJoin() => new(SelectorPack.NeededToJoin.Select(WireWord.Of));
}
