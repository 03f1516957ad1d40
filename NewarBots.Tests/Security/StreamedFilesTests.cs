using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Large logs and evidence of an untrusted recorder are sent without ever being whole in memory.</summary>
public sealed class StreamedFilesTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static readonly UserId Owner = UserId.Parse("anna");

    private ManagerProcess Manager => queueing.Manager;

    private StorageLayout Storage => new(Manager.Storage);

    [Fact]
    public async Task Thirty_given_up_downloads_of_31_MB_of_evidence_cost_little_memory_and_stop_reading()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        var folder = Path.Combine(Storage.Evidence(Owner, id), "11_unexpected");
        Directory.CreateDirectory(folder);
        for (var i = 0; i < 31; i++)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"page-{i}.html"), RandomNumberGenerator.GetBytes(1024 * 1024));
        using (var whole = await Manager.Api.GetAsync(new Uri($"/bots/{id}/evidence", UriKind.Relative)))
        {
            Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
            using var zip = new ZipArchive(await whole.Content.ReadAsStreamAsync());
            Assert.Equal(31, zip.Entries.Count(entry => entry.FullName.StartsWith("11_unexpected/page-", StringComparison.Ordinal)));
            Assert.Equal(
                await File.ReadAllBytesAsync(Path.Combine(folder, "page-30.html")), await BytesOfAsync(zip.GetEntry("11_unexpected/page-30.html")!));
            Assert.NotNull(zip.GetEntry("bot.json"));
            Assert.NotNull(zip.GetEntry("recorder.log"));
        }

        for (var round = 0; round < 3; round++)
        {
            var clients = new List<TcpClient>();
            try
            {
                for (var i = 0; i < 30; i++)
                {
                    var client = await RawHttp.ConnectAsync(Manager);
                    clients.Add(client);
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /bots/{id}/evidence HTTP/1.1\r\nHost: localhost\r\n\r\n"));
                }

                await Eventually.TrueAsync(() => OpenFiles(folder) > 0);
            }
            finally
            {
                clients.ForEach(client => client.Dispose());
            }

            await Eventually.TrueAsync(() => OpenFiles(folder) == 0);
        }

        Assert.DoesNotContain("OutOfMemoryException", Manager.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_of_a_gigabyte_is_cut_and_costs_little_memory()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using (var log = File.OpenWrite(Storage.Log(Owner, id)))
        {
            await log.WriteAsync("first line\n"u8.ToArray(), TestContext.Current.CancellationToken);
            log.SetLength(1L << 30);
        }

        foreach (var query in new[] { "", "?follow=true" })
        {
            var text = await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs{query}", UriKind.Relative));
            Assert.StartsWith("first line\n␀␀", text, StringComparison.Ordinal);
            Assert.EndsWith("\n(The log is longer than 16 MB and is cut here.)\n", text, StringComparison.Ordinal);
            Assert.InRange(text.Length, 16_000_000, 17_000_000);
        }

        Assert.DoesNotContain("OutOfMemoryException", Manager.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Escape_sequences_in_a_log_are_visible_in_the_response_and_in_the_evidence()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await File.WriteAllTextAsync(Storage.Log(Owner, id), "\u001b]0;owned\u0007\u001b[2Jline\tone\r\nGrüße\u009b31m\n", TestContext.Current.CancellationToken);
        const string Expected = "␛]0;owned␇␛[2Jline\tone␍\nGrüße\ufffd31m\n";

        Assert.Equal(Expected, await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative)));
        Assert.Equal(Expected, await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs?follow=true", UriKind.Relative)));
        using var zip = new ZipArchive(await Manager.Api.GetStreamAsync(new Uri($"/bots/{id}/evidence", UriKind.Relative)));
        Assert.Equal(Expected, Encoding.UTF8.GetString(await BytesOfAsync(zip.GetEntry("recorder.log")!)));
    }

    /// <summary>How many files of the folder the manager has open.</summary>
    private int OpenFiles(string folder) => Directory.GetFileSystemEntries($"/proc/{Manager.ProcessId}/fd")
        .Count(handle => TryResolve(handle)?.StartsWith(folder, StringComparison.Ordinal) is true);

    private static string? TryResolve(string handle)
    {
        try
        {
            return new FileInfo(handle).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task<byte[]> BytesOfAsync(ZipArchiveEntry entry)
    {
        await using var content = await entry.OpenAsync();
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
