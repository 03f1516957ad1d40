using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

/// <summary>The test writes what a recorder, or what took it over, leaves in its folder.</summary>
public sealed class BotScreenshotsTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private static readonly byte[] Jpeg = [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

    private readonly StorageLayout _storage = new(Directory.CreateTempSubdirectory("newarbots-screenshots-").FullName);
    private readonly Bot _bot = SampleBots.In(BotStatus.Recording) with { Id = SessionId.New(TimeProvider.System) };
    private ConnectionMultiplexer _redis = null!;

    private string Folder => _storage.SessionFolder(_bot.UserId, _bot.Id);

    private string Picture => Path.Combine(Folder, StorageLayout.ScreenshotName);

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        Directory.CreateDirectory(Folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        Directory.Delete(_storage.Root, recursive: true);
    }

    [Fact]
    public async Task Recorder_is_asked_and_its_picture_is_returned_and_kept_for_two_seconds()
    {
        var commands = await _redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_bot.Id)));
        var taking = Screenshots().TakeAsync(_bot, TestContext.Current.CancellationToken);
        Assert.Equal("screenshot", (await commands.ReadAsync(TestContext.Current.CancellationToken)).Message);
        await WriteAsync(Jpeg);

        var taken = await taking;
        Assert.Equal("image/jpeg", taken!.ContentType);
        Assert.Equal(Jpeg, taken.Content);
        Assert.Equal(Jpeg, (await Screenshots().TakeAsync(_bot, TestContext.Current.CancellationToken))!.Content);
        Assert.False(commands.TryRead(out _));
    }

    [Theory]
    [InlineData("<html><script>alert(1)</script>", null)]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>", null)]
    [InlineData("", null)]
    [InlineData("\u0089PNG\r\n\u001a\n", "image/png")]
    public void Only_the_signature_makes_an_image(string content, string? type) =>
        Assert.Equal(type, BotScreenshots.TypeOf(System.Text.Encoding.Latin1.GetBytes(content)));

    [Fact]
    public async Task Picture_that_is_no_image_or_too_large_or_a_link_is_not_returned()
    {
        await WriteAsync("<html>"u8.ToArray());
        Assert.Null(await Screenshots().TakeAsync(_bot, TestContext.Current.CancellationToken));

        await WriteAsync([.. Jpeg, .. new byte[BotScreenshots.MaxBytes]]);
        Assert.Null(await Screenshots().TakeAsync(_bot, TestContext.Current.CancellationToken));

        await WriteAsync(Jpeg);
        File.Move(Picture, Path.Combine(Folder, "elsewhere"));
        File.CreateSymbolicLink(Picture, Path.Combine(Folder, "elsewhere"));
        Assert.Null(await TimedOutAsync());
    }

    [Fact]
    public async Task Recorder_that_does_not_answer_is_given_up()
    {
        Assert.Null(await TimedOutAsync());
    }

    private BotScreenshots Screenshots(TimeProvider? time = null) => new(_redis, _storage, time ?? TimeProvider.System);

    private async Task<BotScreenshot?> TimedOutAsync()
    {
        var time = new FakeTimeProvider(SampleBots.Noon);
        var taking = Screenshots(time).TakeAsync(_bot, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return taking.IsCompleted;
        });
        return await taking;
    }

    private async Task WriteAsync(byte[] content)
    {
        await File.WriteAllBytesAsync(Picture + ".new", content, TestContext.Current.CancellationToken);
        File.Move(Picture + ".new", Picture, overwrite: true);
    }
}
