using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Access;

public sealed class KeyFileTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly string _storage = Directory.CreateTempSubdirectory("newarbots-keys-").FullName;

    private KeyFile File => Open();

    public void Dispose() => Directory.Delete(_storage, recursive: true);

    [Fact]
    public async Task A_key_is_found_by_its_secret_and_the_file_does_not_contain_it()
    {
        var (key, secret) = Make("anna");
        await File.ChangeAsync(list => list.Add(key));

        var caller = Keyed(File).Find(secret);

        Assert.Equal((key.Id, UserId.Parse("anna"), AccessRole.User), (caller?.Key?.Id, caller!.UserId, caller.Role));
        Assert.DoesNotContain(secret.Text[^64..], await System.IO.File.ReadAllTextAsync(File.Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_or_altered_secret_is_rejected()
    {
        var (key, secret) = Make("anna");
        await File.ChangeAsync(list => list.Add(key));
        var last = secret.Text[^1] == '0' ? '1' : '0';

        Assert.True(Credential.TryParse(secret.Text[..^1] + last, out var changed));
        Assert.Null(Keyed(File).Find(changed));
        Assert.Null(Keyed(File).Find(Credential.New()));
        Assert.Null(Keyed(File).FindSession(secret, Now));
    }

    /// <summary>So the time of a comparison tells nothing about a secret: callers cannot choose the hash of what they send.</summary>
    [Fact]
    public void A_secret_is_compared_by_its_hash_only()
    {
        var secret = Credential.New();

        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes(secret.Text)), secret.Hash);
        Assert.True(secret.Matches(secret.Hash));
        Assert.False(secret.Matches(Encoding.ASCII.GetBytes(secret.Text)));
        Assert.False(secret.Matches(Credential.New().Hash));
        Assert.False(secret.Matches(hash: null));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_can_access_the_file()
    {
        await File.ChangeAsync(list => list.Add(Make("anna").Key));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File.Path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File.Path)!));
    }

    [Fact]
    public async Task Very_many_concurrent_changes_wait_in_order_and_none_fails()
    {
        await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => File.ChangeAsync(list => list with { Keys = [.. list.Keys.Take(1), Make("anna").Key] })));

        Assert.Equal(2, Keyed(File).List.Keys.Count);
    }

    [Fact]
    public async Task A_change_gives_up_while_another_process_holds_the_lock_and_the_next_one_succeeds()
    {
        var time = new FakeTimeProvider(Now);
        var file = new KeyFile(new StorageLayout(_storage), time, NullLogger<KeyFile>.Instance);
        await file.ChangeAsync(list => list);
        await using (new FileStream($"{file.Path}.lock", FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var changes = Enumerable.Range(0, 3).Select(_ => file.ChangeAsync(list => list.Add(Make("anna").Key))).ToList();
            await Eventually.TrueAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return changes.TrueForAll(change => change.IsCompleted);
            });
            foreach (var change in changes)
                await Assert.ThrowsAsync<LockTimeoutException>(() => change);
        }

        await file.ChangeAsync(list => list.Add(Make("anna").Key));
        Assert.Single(Keyed(File).List.Keys);
    }

    [Fact]
    public async Task Concurrent_changes_are_all_kept_and_seen_by_other_readers()
    {
        var before = File;
        Assert.IsType<AccessState.Anonymous>(before.State);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(() => Open().ChangeAsync(list => list.Add(Make($"user-{number}").Key)))));

        Assert.Equal(20, Keyed(before).List.Keys.Count);
        Assert.Equal(["keys.json", "keys.json.lock"], Directory.GetFiles(Path.GetDirectoryName(before.Path)!).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Changes_in_quick_succession_are_all_seen()
    {
        var reader = File;
        for (var i = 0; i < 50; i++)
        {
            var (key, secret) = Make("anna");
            await File.ChangeAsync(_ => KeyList.Empty.Add(key));
            Assert.NotNull(Keyed(reader).Find(secret));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{"keys": []}""")]
    [InlineData("""{"keys": [null], "sessions": []}""")]
    [InlineData("""{"keys": [{"id": "1f0c3b5a7d92"}], "sessions": []}""")]
    [InlineData("""{"keys": [], "sessions": [], "open": true}""")]
    public async Task A_damaged_file_rejects_all_callers_and_is_not_overwritten(string text)
    {
        var file = File;
        await file.ChangeAsync(list => list.Add(Make("anna").Key));
        await System.IO.File.WriteAllTextAsync(file.Path, text);

        Assert.Contains(file.Path, Assert.IsType<AccessState.Unavailable>(file.State).Reason, StringComparison.Ordinal);
        Assert.IsType<AccessState.Unavailable>(File.State);
        await Assert.ThrowsAsync<IOException>(() => file.ChangeAsync(list => list.Add(Make("eve").Key)));
        Assert.Equal(text, await System.IO.File.ReadAllTextAsync(file.Path));
    }

    [Fact]
    public async Task A_missing_file_rejects_all_callers_until_it_is_restored()
    {
        var file = File;
        var (key, secret) = Make("anna");
        await file.ChangeAsync(list => list.Add(key));
        Assert.NotNull(Keyed(file).Find(secret));
        System.IO.File.Move(file.Path, $"{file.Path}.moved");

        Assert.IsType<AccessState.Unavailable>(file.State);
        System.IO.File.Move($"{file.Path}.moved", file.Path);
        Assert.NotNull(Keyed(file).Find(secret));
    }

    [Fact]
    public async Task After_the_last_key_is_revoked_its_secret_is_rejected()
    {
        var (key, secret) = Make("anna");
        await File.ChangeAsync(list => list.Add(key));
        await File.ChangeAsync(list => list.Remove(key));

        Assert.Null(Keyed(File).Find(secret));
    }

    [Fact]
    public async Task A_session_is_valid_until_it_expires_or_its_key_is_revoked()
    {
        var (key, _) = Make("anna");
        var secret = Credential.New();
        var session = new AccessSession(secret.Id, key.Id, Now.AddHours(1), secret.Hash);
        await File.ChangeAsync(list => list.Add(key).Add(session, Now));
        var caller = Keyed(File).FindSession(secret, Now)!;

        Assert.Equal(key.Id, caller.Key?.Id);
        Assert.Null(Keyed(File).Find(secret));
        Assert.Null(Keyed(File).FindSession(secret, Now.AddHours(1)));
        Assert.True(File.State.StillAllows(caller, Now));
        Assert.False(File.State.StillAllows(caller, Now.AddHours(1)));

        await File.ChangeAsync(list => list.Remove(key));
        Assert.Null(Keyed(File).FindSession(secret, Now));
        Assert.False(File.State.StillAllows(caller, Now));
        Assert.Empty(Keyed(File).List.Sessions);
    }

    [Fact]
    public void Expired_and_excess_sessions_are_removed()
    {
        var (key, _) = Make("anna");
        var list = KeyList.Empty.Add(key).Add(Session(Now.AddMinutes(-1)), Now.AddHours(-1));
        for (var i = 0; i < 200; i++)
            list = list.Add(Session(Now.AddHours(1)), Now);

        Assert.Equal(50, list.Sessions.Count);
        Assert.All(list.Sessions, session => Assert.True(session.ExpiresAt > Now));

        AccessSession Session(DateTimeOffset expiresAt) => new(Credential.New().Id, key.Id, expiresAt, []);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nwb_1f0c3b5a7d92_")]
    [InlineData("nwb_1F0C3B5A7D92_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("nwb_1f0c3b5a7d92-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("xyz_1f0c3b5a7d92_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("nwb_1f0c3b5a7d92_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg")]
    [InlineData("nwb_1f0c3b5a7d92_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0")]
    public void Malformed_keys_are_not_parsed(string? text) => Assert.False(Credential.TryParse(text, out _));

    [Fact]
    public void A_key_does_not_print_its_secret()
    {
        var key = Credential.New();

        Assert.True(Credential.TryParse(key.Text, out var parsed));
        Assert.Equal(key, parsed);
        Assert.DoesNotContain(key.Text[^64..], $"{key}", StringComparison.Ordinal);
    }

    internal static (AccessKey Key, Credential Secret) Make(string user, AccessRole role = AccessRole.User)
    {
        var secret = Credential.New();
        return (new(secret.Id, $"{user}'s", UserId.Parse(user), role, Now, secret.Hash), secret);
    }

    private static AccessState.Keyed Keyed(KeyFile file) => Assert.IsType<AccessState.Keyed>(file.State);

    private KeyFile Open() => new(new StorageLayout(_storage), TimeProvider.System, NullLogger<KeyFile>.Instance);
}
