using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class CreateBotRequestTests
{
    internal static (CreateBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) Read(
        string body, string[]? allowedHosts = null, bool rehearsal = true, Caller? caller = null)
    {
        return CreateBotRequest.Read(Encoding.UTF8.GetBytes(body), Policy(allowedHosts, rehearsal), new WebhookPolicy(Options.Create(new WebhookOptions())), caller ?? Caller.Local, SampleBots.Noon);
    }

    private static MeetingUrlPolicy Policy(string[]? allowedHosts = null, bool rehearsal = true)
    {
        var meetings = new MeetingOptions();
        foreach (var host in allowedHosts ?? [])
            meetings.AllowedHosts.Add(host);
        return new(Options.Create(meetings), Options.Create(new RehearsalOptions { Enabled = rehearsal }), new ListeningServer("http://127.0.0.1:8082"));
    }

    private static (CreateBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) ReadUrl(
        string url, string[]? allowedHosts = null, bool rehearsal = true) =>
        Read(JsonSerializer.Serialize(new { meetingUrl = url }), allowedHosts, rehearsal);

    [Fact]
    public void User_key_sends_bots_only_for_its_user_and_admin_key_for_any_user()
    {
        const string Text = """{"meetingUrl": "https://meet.google.com/abc-defg-hij", "userId": "bert"}""";
        var anna = new Caller(Key: null, UserId.Parse("anna"), AccessRole.User);

        Assert.Equal("must be anna, the user of the key", Read(Text, caller: anna).Faults["userId"].Single());
        Assert.Equal(UserId.Parse("bert"), Read(Text, caller: anna with { Role = AccessRole.Admin }).Request!.UserId);
        Assert.Equal(UserId.Parse("anna"), Read(Text.Replace("bert", "anna", StringComparison.Ordinal), caller: anna).Request!.UserId);
        Assert.Equal(UserId.Parse("anna"), Read("""{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""", caller: anna).Request!.UserId);
    }

    [Fact]
    public void All_fields_of_a_request_are_read()
    {
        var (request, _) = Read("""
            {"meetingUrl": "https://meet.google.com/abc-defg-hij", "botName": "  Notes ñ 🎙 ", "userId": "anna_1",
             "leave": {"waitingRoomTimeout": 30, "nobodyJoinedTimeout": 31.5, "everyoneLeftTimeout": 32, "silenceTimeout": 33, "maxDuration": 34},
             "metadata": {"case": "42"}}
            """);

        Assert.NotNull(request);
        Assert.Equal("Notes ñ 🎙", request.BotName);
        Assert.Equal(UserId.Parse("anna_1"), request.UserId);
        Assert.Equal(
            new LeaveConditions
            {
                WaitingRoomTimeout = TimeSpan.FromSeconds(30),
                NobodyJoinedTimeout = TimeSpan.FromSeconds(31.5),
                EveryoneLeftTimeout = TimeSpan.FromSeconds(32),
                SilenceTimeout = TimeSpan.FromSeconds(33),
                MaxDuration = TimeSpan.FromSeconds(34),
            },
            request.Leave);
        Assert.Equal("42", request.Metadata["case"]);
    }

    [Fact]
    public void Only_the_meeting_address_is_required()
    {
        var (request, _) = ReadUrl("https://meet.google.com/abc-defg-hij?authuser=1");

        Assert.NotNull(request);
        Assert.Equal((UserId.Default, CreateBotRequest.DefaultBotName, new LeaveConditions()), (request.UserId, request.BotName, request.Leave));
    }

    [Fact]
    public void All_invalid_fields_are_reported_at_once()
    {
        var (request, faults) = Read("""
            {"meetingUrl": "ftp://x", "botName": "a\u0007b", "userId": "../x", "colour": "red",
             "leave": {"maxDuration": -1, "silenceTimeout": "long", "patience": 3}, "metadata": {"a": 1}}
            """);

        Assert.Null(request);
        Assert.Equal(
            ["botName", "colour", "leave.maxDuration", "leave.patience", "leave.silenceTimeout", "meetingUrl", "metadata.a", "userId"],
            faults.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"meetingUrl\": \"https://meet.google.com/abc-defg-hij\", \"meetingUrl\": \"https://meet.google.com/abc-defg-hij\"}")]
    public void Body_that_is_not_a_valid_JSON_object_is_rejected(string body) => Assert.Equal(["body"], Read(body).Faults.Keys);

    [Theory]
    [InlineData("https://example.com/abc-defg-hij")]
    [InlineData("https://meet.google.com.example.com/abc-defg-hij")]
    [InlineData("https://meet.google.com:8443/abc-defg-hij")]
    [InlineData("http://meet.google.com/abc-defg-hij")]
    [InlineData("https://meet.google.com/")]
    [InlineData("https://meet.google.com/../etc")]
    [InlineData("https://anna:secret@meet.google.com/abc-defg-hij")]
    [InlineData("https://meet.google.com@example.com/abc-defg-hij")]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("//meet.google.com/abc-defg-hij")]
    [InlineData("http://127.0.0.1:6379/rehearsal/abc-defg-hij")]
    [InlineData("http://localhost:8082/bots")]
    [InlineData("http://10.0.0.1/abc-defg-hij")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://2852039166/latest/meta-data")]
    [InlineData("http://0x7f.1:8082/bots")]
    [InlineData("http://[::1]:6379/rehearsal/abc-defg-hij")]
    [InlineData("http://[fe80::1]/abc-defg-hij")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("not a url")]
    [InlineData(" ")]
    public void Address_that_is_not_a_meeting_is_rejected(string url) => Assert.Equal(["meetingUrl"], ReadUrl(url).Faults.Keys);

    [Fact]
    public void Link_local_address_is_rejected_even_if_it_is_an_allowed_host() =>
        Assert.Equal(["meetingUrl"], ReadUrl("http://169.254.169.254/latest", ["169.254.169.254"]).Faults.Keys);

    [Theory]
    [InlineData("http://localhost:8082/rehearsal/abc-defg-hij?participants=3")]
    [InlineData("http://127.0.0.1:8082/rehearsal/abc-defg-hij")]
    public void Rehearsal_is_a_meeting_if_it_is_enabled(string url)
    {
        Assert.Equal(Platform.Rehearsal, ReadUrl(url).Request!.Platform);
        Assert.Equal(["meetingUrl"], ReadUrl(url, rehearsal: false).Faults.Keys);
    }

    [Fact]
    public void Allowed_host_is_accepted_only_with_its_port()
    {
        string[] hosts = ["stand-in.example:9000", "127.0.0.1:9001", "meet.example.org"];

        Assert.NotNull(ReadUrl("http://stand-in.example:9000/x", hosts).Request);
        Assert.NotNull(ReadUrl("http://127.0.0.1:9001/x", hosts).Request);
        Assert.NotNull(ReadUrl("https://MEET.example.org/x", hosts).Request);
        Assert.NotNull(ReadUrl("http://stand-in.example:9001/x", hosts).Faults["meetingUrl"]);
        Assert.NotNull(ReadUrl("https://meet.google.com/abc-defg-hij", hosts).Faults["meetingUrl"]);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(100, true)]
    [InlineData(101, false)]
    [InlineData(0, false)]
    public void Bot_name_has_1_to_100_characters(int length, bool valid)
    {
        var (request, _) = Read(JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij", botName = new string('x', length) }));

        Assert.Equal(valid, request is not null);
    }

    [Theory]
    [InlineData("Notes\r\nX-Injected: yes")]
    [InlineData("Notes\u0000")]
    [InlineData("Notes\u001b[31m")]
    [InlineData("Notes\u0085next line")]
    [InlineData("Notes\u2028next line")]
    [InlineData("Notes\u202egnidrocer")]
    [InlineData("Notes\u2066turned")]
    public void Bot_name_with_line_breaks_control_characters_or_bidirectional_overrides_is_rejected(string name) =>
        Assert.Equal(["botName"], Read(JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij", botName = name })).Faults.Keys);

    [Theory]
    [InlineData("\u200b")]
    [InlineData("\u2060\ufeff")]
    [InlineData("Notes\u200b")]
    [InlineData("No\u00adtes")]
    [InlineData("\u3164")]
    [InlineData("\u2800 \u2800")]
    [InlineData("Notes\u115f")]
    [InlineData("Notes\u180e")]
    [InlineData("\u200dNotes")]
    [InlineData("Notes \u200c")]
    [InlineData("A\u200d\u200dB")]
    [InlineData("Notes\U000e0041\U000e007f")]
    public void Bot_name_with_invisible_characters_is_rejected(string name)
    {
        var faults = Read(JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij", botName = name })).Faults;

        Assert.Equal(["must not contain invisible characters"], faults["botName"]);
    }

    [Theory]
    [InlineData("Notes ❤\ufe0f")]
    [InlineData("👩‍💻 Protokoll")]
    [InlineData("می‌خواهم")]
    [InlineData("Søren’s 記録　係")]
    public void Bot_name_in_any_script_with_emoji_is_accepted(string name)
    {
        var (request, _) = Read(JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij", botName = name }));

        Assert.Equal(name, request!.BotName);
    }

    [Fact]
    public void Metadata_key_with_invisible_characters_is_rejected() => Assert.Equal(
        ["must not contain invisible characters in its name"],
        Read("""{"meetingUrl": "https://meet.google.com/abc-defg-hij", "metadata": {"case\u200b": "42"}}""").Faults["metadata.case\u200b"]);

    [Theory]
    [InlineData("https://meet.google.com/abc-defg-hij", "https://meet.google.com/abcdefghij?authuser=1", true)]
    [InlineData("https://meet.google.com/ABC-defg-hij/", "https://meet.google.com/abc-defghij", true)]
    [InlineData("https://meet.google.com/lookup/a-b", "https://meet.google.com/lookup/ab", false)]
    [InlineData("https://meet.google.com/lookup/abc-defg-hij", "https://meet.google.com/lookup/abcdefghij", false)]
    [InlineData("https://meet.google.com/lookup/a-b", "https://meet.google.com/lookup/a-b?hs=1", true)]
    [InlineData("http://localhost:8082/rehearsal/abc-defg-hij", "http://localhost:8082/rehearsal/abcdefghij", false)]
    public void Only_a_meeting_code_may_be_written_without_hyphens(string one, string other, bool isSame) =>
        Assert.Equal(isSame, MeetingIdentity.Of(new(one)) == MeetingIdentity.Of(new(other)));

    [Theory]
    [InlineData("http://127.0.0.1:8082", true)]
    [InlineData("http://localhost:8082", true)]
    [InlineData("http://[::]:8082", true)]
    [InlineData("http://*:8082", true)]
    [InlineData("http://0.0.0.0:8082", true)]
    [InlineData("http://[::1]:8082", false)]
    [InlineData("http://192.168.7.1:8082", false)]
    [InlineData("http://[::1]:8082,http://127.0.0.1:8083", false)]
    [InlineData("http://[::1]:8082,http://127.0.0.1:8082", true)]
    public void Rehearsal_of_a_manager_that_bots_cannot_reach_is_rejected_with_the_cause(string listens, bool isValid)
    {
        var policy = new MeetingUrlPolicy(
            Options.Create(new MeetingOptions()), Options.Create(new RehearsalOptions { Enabled = true }), new ListeningServer(listens.Split(',')));

        foreach (var host in new[] { "[::1]", "localhost", "127.0.0.1" })
        {
            var (url, _, fault) = policy.Check($"http://{host}:8082/rehearsal/abc-defg-hij");

            Assert.Equal(isValid, url is not null);
            if (isValid)
                Assert.Equal(host == "127.0.0.1" ? host : "localhost", url!.Host);
            else
                Assert.Equal("is a rehearsal that bots cannot reach: they reach this machine over IPv4 only. Add http://127.0.0.1:8082 to ASPNETCORE_URLS", fault);
        }
    }

    [Theory]
    [InlineData("2026-03-14T13:00:00Z", "2026-03-14T13:00:00Z")]
    [InlineData("2026-03-14T13:00Z", "2026-03-14T13:00:00Z")]
    [InlineData("2026-03-14T13:00:00.125+05:30", "2026-03-14T07:30:00.125Z")]
    [InlineData("2026-04-13T14:00:00+02:00", "2026-04-13T12:00:00Z")]
    [InlineData("2025-03-14T12:00:00-00:00", "2025-03-14T12:00:00Z")]
    public void Start_time_is_read_with_its_offset(string startAt, string utc)
    {
        var (request, _) = Read(Starting(startAt));

        Assert.Equal(DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture), request!.StartAt);
        Assert.Equal(TimeSpan.Zero, request.StartAt!.Value.Offset);
    }

    [Theory]
    [InlineData("2026-03-14T13:00:00")]
    [InlineData("2026-03-14")]
    [InlineData("14.3.2026 13:00")]
    [InlineData("2026-02-30T13:00:00Z")]
    [InlineData("2026-03-14T25:00:00Z")]
    [InlineData("2026-04-13T12:00:01Z")]
    [InlineData("9999-12-31T23:59:59-14:00")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("tomorrow")]
    [InlineData("1773493200")]
    [InlineData("")]
    public void Start_time_that_is_invalid_too_far_ahead_or_has_no_offset_is_rejected(string startAt) =>
        Assert.Equal(["startAt"], Read(Starting(startAt)).Faults.Keys);

    [Theory]
    [InlineData("1773493200")]
    [InlineData("{}")]
    [InlineData("true")]
    [InlineData("\"\\ud800\"")]
    public void Start_time_must_be_a_string(string json) =>
        Assert.Equal(["startAt"], Read($$"""{"meetingUrl": "https://meet.google.com/abc-defg-hij", "startAt": {{json}}}""").Faults.Keys);

    [Fact]
    public void Retention_tracks_and_webhook_of_a_bot_are_read_and_their_faults_are_named()
    {
        var (request, _) = Read("""
            {"meetingUrl": "https://meet.google.com/abc-defg-hij", "retention": 3600, "recording": {"tracks": true},
             "webhook": {"url": "https://example.com/hook", "events": ["bot.completed", "bot.failed", "bot.failed"]}}
            """);
        var (_, faults) = Read("""
            {"meetingUrl": "https://meet.google.com/abc-defg-hij", "retention": 59, "recording": {"tracks": 1, "video": true},
             "webhook": {"url": "http://localhost/hook", "events": ["bot.no"], "secret": "mine"}}
            """);

        Assert.Equal((TimeSpan.FromHours(1), true), (request!.Retention, request.RecordTracks));
        Assert.Equal("https://example.com/hook", request.Webhook!.Value.Url.AbsoluteUri);
        Assert.Equal(["bot.completed", "bot.failed"], request.Webhook.Value.Events);
        Assert.Equal(
            ["recording.tracks", "recording.video", "retention", "webhook.events", "webhook.secret", "webhook.url"], faults.Keys.Order(StringComparer.Ordinal));
        Assert.Null(Read("""{"meetingUrl": "https://meet.google.com/abc-defg-hij", "retention": null, "recording": {"tracks": null}, "webhook": null}""").Request!.Webhook);
    }

    [Fact]
    public void Change_reads_changeable_fields_and_reports_every_other_field()
    {
        var (change, _) = ReadChange("""{"meetingUrl": "https://meet.google.com/xyz-abcd-efg", "startAt": "2026-03-15T12:00:00Z", "botName": "Other", "leave": {"maxDuration": 60}, "metadata": {"case": "43"}}""");
        var (nothing, _) = ReadChange("""{"meetingUrl": null, "startAt": null, "botName": null, "leave": null, "metadata": null}""");
        var (_, faults) = ReadChange("""{"meetingUrl": "https://example.com/", "userId": "bert", "colour": 1, "startAt": 5, "leave": {"maxDuration": 0}}""");

        Assert.Equal((SampleBots.Noon.AddDays(1), "Other", 60), (change!.StartAt, change.BotName, change.Leave!.MaxDuration.TotalSeconds));
        Assert.Equal(("43", "https://meet.google.com/xyz-abcd-efg"), (change.Metadata!["case"], change.MeetingUrl!.AbsoluteUri));
        Assert.Equal(new ChangeBotRequest(), nothing);
        Assert.Equal(["colour", "leave.maxDuration", "meetingUrl", "startAt", "userId"], faults.Keys.Order(StringComparer.Ordinal));

        static (ChangeBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) ReadChange(string body) =>
            CreateBotRequest.ReadChange(Encoding.UTF8.GetBytes(body), Policy(), SampleBots.Noon);
    }

    private static string Starting(string startAt) => JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij", startAt });

    [Fact]
    public void Any_body_is_read_or_rejected_with_a_fault() =>
        Gen.OneOf(Gen.String, Gen.String.Select(text => $"{{\"meetingUrl\": {text}}}"), Gen.String.Select(text => $"{{{JsonSerializer.Serialize(text)}: 1}}"))
            .Sample(body =>
            {
                var (request, faults) = Read(body);
                Assert.True(request is not null || faults.Count > 0);
            });

    private sealed class ListeningServer : IServer
    {
        public ListeningServer(params IEnumerable<string> listens)
        {
            var addresses = new ServerAddressesFeature();
            foreach (var address in listens)
                addresses.Addresses.Add(address);
            Features.Set<IServerAddressesFeature>(addresses);
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull =>
            throw new NotSupportedException();

        public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
