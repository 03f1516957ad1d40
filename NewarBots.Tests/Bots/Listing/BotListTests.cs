using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Listing;

public sealed class BotListTests
{
    private static readonly DateTimeOffset Noon = SampleBots.Noon;

    private static readonly Gen<Bot> AnyBot =
        from status in Gen.Enum<BotStatus>()
        from hours in Gen.Int[-48, 48]
        from name in Gen.Int[0, 3]
        select SampleBots.In(status) with
        {
            BotName = $"Bot {name}",
            CreatedAt = Noon,
            StartAt = status is BotStatus.Scheduled ? Noon.AddHours(Math.Abs(hours)) : null,
            EndedAt = status.IsTerminal() ? Noon.AddHours(hours) : null,
            RecordedSeconds = status is BotStatus.Completed ? name * 60.5 : 0,
        };

    [Fact]
    public void Pages_of_any_order_have_every_bot_once_in_that_order() =>
        Gen.Select(AnyBot.List[0, 30], Gen.Enum<BotOrder>(), Gen.Int[1, 7]).Sample((bots, order, limit) =>
        {
            var listed = bots.ConvertAll(ListedBot.Of);
            var whole = BotList.Of(listed, new ListRequest { Order = order, Limit = ListRequest.MaxLimit });

            var (ids, request) = (new List<SessionId>(), new ListRequest { Order = order, Limit = limit });
            while (true)
            {
                var page = BotList.Of(listed, request);
                Assert.Equal(page.Ids.Count == 0 ? 0 : ids.Count + 1, page.Position);
                Assert.Equal(bots.Count, page.Total);
                ids.AddRange(page.Ids);
                if (page.Next is null)
                    break;
                request = request with { After = ListPlace.TryParse(page.Next) };
            }

            Assert.Equal(whole.Ids, ids);
            Assert.Equal(bots.Count, ids.Distinct().Count());
            Assert.Equal(bots.Count, whole.Counts.Values.Sum());
        });

    [Fact]
    public void Activity_order_has_active_bots_then_scheduled_ones_by_start_then_ended_ones_by_end()
    {
        var (late, soon) = (SampleBots.Scheduled(Noon.AddDays(2)), SampleBots.Scheduled(Noon.AddDays(1)));
        var (first, last) = (SampleBots.In(BotStatus.Completed) with { EndedAt = Noon }, SampleBots.In(BotStatus.Cancelled) with { EndedAt = Noon.AddHours(1) });
        var (older, newer) = (SampleBots.In(BotStatus.Recording), SampleBots.In(BotStatus.Queued));

        var list = BotList.Of(new[] { late, first, older, last, soon, newer }.Select(ListedBot.Of), new ListRequest { Order = BotOrder.Activity });

        Assert.Equal([newer.Id, older.Id, soon.Id, late.Id, last.Id, first.Id], list.Ids);
    }

    [Fact]
    public void Page_continues_after_its_cursor_even_if_that_bot_was_deleted_or_has_moved()
    {
        Bot[] bots = [.. Enumerable.Range(0, 4).Select(hour => SampleBots.In(BotStatus.Completed) with { EndedAt = Noon.AddHours(-hour) })];
        var request = new ListRequest { Order = BotOrder.Activity, Limit = 2 };
        var cursor = ListPlace.TryParse(BotList.Of(bots.Select(ListedBot.Of), request).Next!);

        var rest = BotList.Of(bots.Where(bot => bot != bots[1]).Select(ListedBot.Of), request with { After = cursor });

        Assert.Equal([bots[2].Id, bots[3].Id], rest.Ids);
        Assert.Equal(2, rest.Position);
    }

    [Fact]
    public void Search_finds_each_part_of_a_bot_in_any_case_and_no_text_across_parts()
    {
        var bot = ListedBot.Of(SampleBots.In(BotStatus.Failed) with
        {
            BotName = "Größe",
            Reason = EndReason.DeniedByHost,
            Speakers = [new("Ana María", "track:1", 2, 0, 2)],
            Metadata = new Dictionary<string, string> { ["Case"] = "Forty-two" },
        });

        foreach (var text in (string[])["größe", "ABC-DEFG", "failed", "denied_by", "Denied by", "ana maría", "case", "forty", "anna"])
            Assert.True(new ListRequest { Text = text.ToUpperInvariant() }.Matches(bot), text);
        Assert.False(new ListRequest { Text = "GRÖSSE" }.Matches(bot));
        Assert.False(new ListRequest { Text = "CASEFORTY" }.Matches(bot));
    }

    [Fact]
    public void Huge_metadata_takes_limited_memory_and_is_still_filtered_exactly()
    {
        var metadata = Enumerable.Range(0, 50).ToDictionary(number => $"key{number}", number => new string('x', 1000) + number);
        var bot = ListedBot.Of(SampleBots.Queued() with { Metadata = metadata });

        Assert.Equal(ListedBot.MaxTextLength, bot.Text.Length);
        Assert.True(new ListRequest { Metadata = [ListedBot.HashOf("key49", metadata["key49"])] }.Matches(bot));
        Assert.False(new ListRequest { Metadata = [ListedBot.HashOf("key48", metadata["key49"])] }.Matches(bot));
    }

    [Fact]
    public void Counts_ignore_the_filter_by_status_and_the_time_filters_include_their_beginning_only()
    {
        Bot[] bots = [SampleBots.In(BotStatus.Recording), SampleBots.Scheduled(Noon.AddHours(1)), SampleBots.Scheduled(Noon.AddHours(2))];

        var list = BotList.Of(bots.Select(ListedBot.Of), new ListRequest { Statuses = new HashSet<BotStatus> { BotStatus.Scheduled }, From = Noon, To = Noon.AddHours(2) });

        Assert.Equal(bots[1].Id, Assert.Single(list.Ids));
        Assert.Equal((1, 1, 0), (list.Counts[BotStatus.Recording], list.Counts[BotStatus.Scheduled], list.Counts[BotStatus.Queued]));
    }
}
