using NewarBots.Contract;

namespace NewarBots.Bench;

/// <summary>The work of one compromised recorder.</summary>
/// <param name="Name">For the report.</param>
/// <param name="Write">Leaves files while the bot records.</param>
internal sealed record HostileAttack(string Name, Func<HostileBot, Task> Write)
{
    private const int Tries = 30;

    /// <summary>Runs from then on until it is cancelled.</summary>
    public Func<HostileBot, CancellationToken, Task>? Keep { get; init; }

    /// <param name="docker">Runs programs in the recorders' containers.</param>
    /// <param name="emptyFiles">Number of files of the attack with very many.</param>
    public static IReadOnlyList<HostileAttack> All(Docker docker, int emptyFiles) =>
    [
        new("page numbers jump by 2^32, partial recordings requested", Files(files => files.WriteChunk("chunk_00900.ogg", packets: 1_000_000_000_000)))
        {
            Keep = (bot, cancellation) => bot.GetAsync("recording?partial=true", times: 2, cancellation),
        },
        new("3 tracks that begin at packet 4,300,000", Files(files => files.WriteTracks(3, first: 4_300_000))),
        new("32 tracks that begin at packet 4,300,000", Files(files => files.WriteTracks(32, first: 4_300_000))),
        new("999 tracks", Files(files => files.WriteTracks(999, first: 0))),
        new("chunk of the year 9999", Files(files => files.WriteChunk("chunk_00900.ogg", start: "9999-12-31T23:59:59.999Z"))),
        new("chunk of the year 1", Files(files => files.WriteChunk("chunk_00900.ogg", start: "0001-01-01T00:00:00.000+14:00"))),
        new("folder without permissions", bot => bot.Files.RunAsync("chmod", "000", ".")),
        new("journal without permissions", bot => bot.Files.RunAsync("chmod", "000", Journal.FileName)),
        new("folders nested 3,000 deep", bot => bot.Files.RunAsync("python3", "-c", "import os\nfor level in range(3000): os.mkdir('n'); os.chdir('n')")),
        new($"{emptyFiles:N0} empty files", Files(files => files.WriteEmpty(emptyFiles))),
        new("150,000 speakers", Files(files => files.WriteJournal(SessionFiles.Speakers(150_000)))),
        new("forged end, numbers out of range", Files(files => files.WriteJournal(
        [
            files.Message(long.MaxValue, "completed"), files.Message(9_999_999, more: ",\"recordedSeconds\":-1e308"), files.Message(1, more: ",\"participants\":-5"), new string('[', 60_000),
        ]))),
        new("300 MB of junk", Files(files => files.WriteJunk("junk", megabytes: 300))),
        new("links, pipes and folders instead of files", bot => bot.Files.RunAsync(
            "sh", "-c", "mkfifo chunk_00900.ogg; ln -s /etc/passwd chunk_00901.ogg; mkdir chunk_00902.ogg evidence; ln -s /etc evidence/1_x; mkfifo track_1; ln -s /dev/zero chunk_00903.ogg")),
        new("journal of 40 MB", Files(files => files.WriteJournal(Enumerable.Range(0, 400_000).Select(number => files.Message(1000 + number, more: ",\"detail\":\"0123456789\""))))),
        new("chunk of 1 TB", Files(files => files.WriteSparse("chunk_00900.ogg", 1L << 40))),
        new("chunk that cannot be decoded", Files(files => files.WriteChunk("chunk_00900.ogg", packet: [0x7f, 0xff, 0xff, 0xff]))),
        new("chunk swapped with a link all the time", Files(_ => { })) { Keep = (bot, cancellation) => bot.Files.SwapAsync("chunk_00900.ogg", cancellation) },
        new("31 MB of evidence, 30 downloads given up", Files(files => files.WriteJunk("evidence/1_x/page.png", megabytes: 31)))
        {
            Keep = (bot, cancellation) => bot.GetAsync("evidence", Tries, cancellation),
        },
        new("floods of messages and endless commands to Redis", Files(_ => { }))
        {
            Keep = (bot, cancellation) => HostileRedis.FloodAsync(docker, bot, cancellation),
        },
    ];

    private static Func<HostileBot, Task> Files(Action<SessionFiles> write) => bot =>
    {
        write(bot.Files);
        return Task.CompletedTask;
    };
}

/// <summary>A bot with a compromised recorder.</summary>
/// <param name="Id">The bot.</param>
/// <param name="Files">Its session folder.</param>
/// <param name="Api">The manager.</param>
/// <param name="RedisUser">The user of the bot.</param>
/// <param name="RedisEndPoint">Host and port as a path: <c>host.docker.internal/6379</c>.</param>
internal sealed record HostileBot(SessionId Id, SessionFiles Files, HttpClient Api, (string User, string Password) RedisUser, string RedisEndPoint)
{
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromSeconds(3);

    /// <summary>Requests something of the bot again and again. Each request is given up after three seconds, mostly in the middle.</summary>
    /// <param name="what">The path after the bot's id.</param>
    /// <param name="times">Number of requests at the same time.</param>
    /// <param name="cancellation">Ends the requests.</param>
    public Task GetAsync(string what, int times, CancellationToken cancellation) => Task.WhenAll(Enumerable.Range(0, times).Select(async _ =>
    {
        var buffer = new byte[16 * 1024];
        while (!cancellation.IsCancellationRequested)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(GivenUpAfter);
            try
            {
                using var response = await Api.GetAsync(new Uri($"/bots/{Id}/{what}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
                await using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
                await body.ReadExactlyAsync(buffer, timeout.Token);
                // Does not read the rest.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, timeout.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException or IOException)
            {
                // Given up, or the answer is shorter.
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            }
        }
    }));
}
