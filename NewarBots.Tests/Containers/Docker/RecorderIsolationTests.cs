using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Launching;
using NewarBots.Recorder.Joining;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

/// <summary>Isolation of a bot's container, probed from inside.</summary>
public sealed class RecorderIsolationTests(ScriptedRecorders recorders) : IClassFixture<ScriptedRecorders>
{
    [Fact]
    public async Task A_recorder_runs_as_an_unprivileged_user_and_cannot_gain_privileges()
    {
        var bot = recorders.Bot("id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'");
        await recorders.Containers.LaunchAsync(bot, CancellationToken.None);
        await recorders.ExitOf(bot.Id);
        var seen = await recorders.LogOf(bot.Id);

        Assert.Equal(
            [$"{SessionFolders.OwnerOf(bot.SessionFolder).Uid}", "CapEff:0000000000000000", "CapBnd:0000000000000000", "NoNewPrivs:1", "Seccomp:2"],
            Lines(seen));
    }

    [Fact]
    public async Task A_recorder_that_uses_up_the_kernels_limits_of_its_user_takes_nothing_from_other_bots()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Only root can give each bot a user of its own.");
        // inotify_init, until the kernel refuses.
        var hostile = recorders.Bot("perl -e '$| = 1; $n++ while syscall(294, 0) >= 0; print \"$n, then refused\\n\"; sleep 600'");
        await recorders.Containers.LaunchAsync(hostile, CancellationToken.None);
        await Eventually.TrueAsync(async () => (await recorders.LogOf(hostile.Id)).EndsWith(", then refused\n", StringComparison.Ordinal));

        var seen = await recorders.Run("perl -e 'print syscall(294, 0) >= 0 ? \"given\\n\" : \"refused\\n\"'");

        Assert.Equal("given\n", seen);
        await recorders.Containers.RemoveAsync(hostile.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_recorder_can_write_only_to_its_session_folder_and_to_temporary_memory()
    {
        var bot = recorders.Bot(
            """
            own=/app/storage/session
            echo chunk > $own/chunk && echo own
            for place in / /app/storage /etc /usr /run /var/tmp; do
              touch $place/x 2>/dev/null && echo $place
            done
            touch /tmp/x /dev/shm/x && echo fleeting
            ls /app/storage
            """);

        await recorders.Containers.LaunchAsync(bot, CancellationToken.None);
        await recorders.ExitOf(bot.Id);

        Assert.Equal(["own", "fleeting", "session"], Lines(await recorders.LogOf(bot.Id)));
        Assert.Equal("chunk\n", await File.ReadAllTextAsync(Path.Combine(bot.SessionFolder, "chunk")));
    }

    [Fact]
    public async Task A_recorders_memory_CPU_and_processes_are_limited()
    {
        var bot = recorders.Bot("true");
        await recorders.Containers.LaunchAsync(bot, CancellationToken.None);

        var host = await ScriptedRecorders.Docker(
            "inspect", "--format",
            "{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.PidsLimit}} {{.ShmSize}} {{.Init}} {{.RestartPolicy.Name}} "
            + "{{.LogConfig.Type}} {{index .LogConfig.Config \"max-size\"}} {{.NetworkMode}} {{.Privileged}} {{.PidMode}}{{end}}",
            bot.Name);

        Assert.Equal(
            $"2147483648 2147483648 1000000000 512 268435456 true no json-file 10m {recorders.Stack} false ",
            host.StandardOutput.TrimEnd('\n'));
    }

    [Fact]
    public async Task A_recorder_may_create_a_user_namespace_but_not_mount_or_enter_namespaces_in_it()
    {
        var seen = await recorders.Run(
            """
            unshare --user --map-root-user true && echo user namespace
            unshare --user --map-root-user --pid --net --fork true && echo sandbox
            unshare --user --map-root-user --mount true 2>/dev/null && echo mount namespace
            unshare --user --map-root-user --uts true 2>/dev/null && echo uts namespace
            unshare --user --map-root-user mount -t tmpfs none /tmp 2>/dev/null && echo mounted
            nsenter --target 1 --user true 2>/dev/null && echo entered
            true
            """);

        Assert.Equal(["user namespace", "sandbox"], Lines(seen));
    }

    [Fact]
    public async Task Bots_cannot_reach_each_other()
    {
        var server = recorders.Bot("perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 9, Listen => 9); sleep 60'");
        await recorders.Containers.LaunchAsync(server, CancellationToken.None);
        var address = (await ScriptedRecorders.Docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", server.Name)).StandardOutput.Trim();

        var seen = await recorders.Run($"timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/9' 2>/dev/null && echo reached; echo done");

        Assert.Equal(["done"], Lines(seen));
        await recorders.Containers.RemoveAsync(server.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_recorder_sees_no_other_session_no_engine_socket_and_no_foreign_secret()
    {
        var other = recorders.Bot("echo of another session > /app/storage/session/chunk");
        await recorders.Containers.LaunchAsync(other, CancellationToken.None);
        await recorders.ExitOf(other.Id);
        Assert.True(File.Exists(Path.Combine(other.SessionFolder, "chunk")));
        await File.WriteAllTextAsync(Path.Combine(recorders.Storage, "secret-of-the-manager"), "secret");

        var seen = await recorders.Run(
            $$"""
            own=/app/storage/session
            ls /app/storage | grep --invert-match session
            ls $own | grep --invert-match assignment.json
            cat $own/../{{other.Id}}/chunk $own/../../{{other.Id}}/chunk 2>/dev/null
            ln -s ../{{other.Id}} $own/link && cat $own/link/chunk 2>/dev/null
            find / -xdev -name 'secret-of-the-manager' -o -xdev -name 'docker*.sock' -o -xdev -name 'containerd*.sock' 2>/dev/null
            grep --count ' /app/storage' /proc/self/mountinfo
            for socket in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock; do [ -e $socket ] && echo $socket; done
            ls /proc | grep --extended-regexp --count '^[0-9]+$' | grep --extended-regexp --quiet '^[0-9]$' && echo processes of its own
            for device in /dev/sda /dev/vda /dev/mem /dev/kmsg; do [ -r $device ] && echo $device; done
            true
            """);

        Assert.Equal(["1", "processes of its own"], Lines(seen));
    }

    [Fact]
    public async Task A_recorder_reaches_only_the_managers_rehearsal_through_the_relay()
    {
        await using var redis = await RedisServer.RunAsync();
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));
        await using var relay = recorders.Services().GetRequiredService<LoopbackRelay>();
        await relay.EnsureAsync(manager.Port, ForwardedService.Meeting, CancellationToken.None);

        var seen = await recorders.Run(
            $$"""
            ask() { exec 3<>/dev/tcp/host.docker.internal/{{manager.Port}} && printf '%s HTTP/1.1\r\nHost: localhost:{{manager.Port}}\r\nConnection: close\r\n%b\r\n' "$1" "$2" >&3 && echo "$1 $(head -1 <&3 | cut -d ' ' -f 2)"; exec 3>&-; }
            ask 'GET /rehearsal/abc-defg-hij'
            for path in / /bots /bots/events /health /alive /openapi/v1.json /scalar/ /page/page.js /keys /session /rehearsal/../bots /rehearsal/%2e%2e/bots //bots /REHEARSAL/../bots; do
              ask "GET $path"
            done
            ask 'POST /bots' 'Content-Type: application/json\r\nContent-Length: 2\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n{}'
            ask 'DELETE /bots/0199aaaabbbbccccddddeeeeffff0001'
            """);

        Assert.Equal("GET /rehearsal/abc-defg-hij 200", Lines(seen)[0]);
        Assert.Equal(17, Lines(seen).Length);
        Assert.All(Lines(seen)[1..], answer => Assert.EndsWith(" 404", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_recorder_needs_a_key_if_the_manager_listens_on_the_bridge()
    {
        var (gateway, _) = await recorders.Services().GetRequiredService<IBotNetwork>().FindAsync(CancellationToken.None);
        Assert.SkipWhen(gateway is null, "The engine's default bridge is not on this machine.");
        await using var redis = await RedisServer.RunAsync();
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));
        var key = await KeyedManager.AddAsync(manager, "root", AccessRole.Admin);
        manager.Kill();
        await manager.StartAsync(("ASPNETCORE_URLS", $"http://127.0.0.1:{manager.Port};http://{gateway}:{manager.Port}"));

        var seen = await recorders.Run(
            $$"""
            ask() { exec 3<>/dev/tcp/host.docker.internal/{{manager.Port}} && printf '%s HTTP/1.1\r\nHost: localhost:{{manager.Port}}\r\nConnection: close\r\n%b\r\n' "$1" "$2" >&3 && echo "$1 $(head -1 <&3 | cut -d ' ' -f 2)"; exec 3>&-; }
            for path in /bots /bots/events /keys /webhooks /bots/0199aaaabbbbccccddddeeeeffff0001/logs; do
              ask "GET $path"
              ask "GET $path" 'X-API-Key: nb_guessed\r\nX-Forwarded-For: 127.0.0.1\r\n'
            done
            ask 'POST /bots' 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
            ask 'POST /keys' 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
            ask 'DELETE /bots/0199aaaabbbbccccddddeeeeffff0001'
            ask 'GET /bots' 'X-API-Key: {{key}}\r\n'
            """);

        Assert.Equal(14, Lines(seen).Length);
        Assert.Equal("GET /bots 200", Lines(seen)[^1]);
        Assert.All(Lines(seen)[..^1], answer => Assert.EndsWith(" 401", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_recorder_can_use_only_its_own_channels_in_Redis()
    {
        await using var redis = await RedisServer.RunAsync();
        await using var manager = await redis.ConnectAsync();
        await manager.GetServers()[0].ExecuteAsync("CONFIG", "SET", "requirepass", "of-the-manager");
        var (id, other) = (SessionId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        await manager.GetDatabase().StreamAddAsync(RedisNames.EventStream(other), RedisNames.MessageField, "of another bot");
        var (user, password) = await new RecorderAccess(
            manager, new RecorderAccessKey(new StorageLayout(recorders.Storage)), NullLogger<RecorderAccess>.Instance).EnsureAsync(id);
        await using var relay = recorders.Services().GetRequiredService<LoopbackRelay>();
        await relay.EnsureAsync(redis.Port, ForwardedService.Other, CancellationToken.None);

        var seen = await recorders.Run(
            $$"""
            exec 3<>/dev/tcp/host.docker.internal/{{redis.Port}}
            say() { printf '%s\r\n' "$1" >&3; read -r answer <&3; echo "$answer" | cut -c 1-7 | tr -d '\r'; }
            say 'GET x'
            say 'AUTH of-the-manager-perhaps'
            say 'AUTH {{user}} {{password}}'
            say 'PUBLISH {{RedisNames.StatusChannel(id)}} x'
            for denied in 'XRANGE {{RedisNames.EventStream(other)}} - +' 'XADD {{RedisNames.EventStream(other)}} * message x' 'XADD {{RedisNames.EventStream(id)}} * message x' 'PUBLISH {{RedisNames.CommandChannel(other)}} stop' \
              'XRANGE {{RedisNames.EventStream(id)}} - +' 'KEYS *' 'GET newarbots:bot:{{other}}' 'SUBSCRIBE {{RedisNames.CommandChannel(other)}}' 'PSUBSCRIBE *' 'CONFIG GET *' 'ACL LIST' \
              'EVAL "return 1" 0' 'FLUSHALL' 'SHUTDOWN' 'REPLICAOF 10.0.0.1 6379' 'MODULE LIST'; do
              say "$denied"
            done
            """);

        Assert.Equal(["-NOAUTH", "-WRONGP", "+OK", ":0", .. Enumerable.Repeat("-NOPERM", 16)], Lines(seen));
    }

    [Fact]
    public async Task The_browser_opens_no_internal_address_in_any_notation()
    {
        var bridge = await DockerCli.BridgeAddressAsync();
        using var listener = new TcpListener(IPAddress.Parse(bridge), 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var ended = new CancellationTokenSource();
        var serving = ServeAsync();
        var rules = Assert.Single(
            ChromiumArguments.For(BrowserKind.Headed, TestManager.Assignment(SessionId.New(TimeProvider.System), "Notes")), argument => argument.StartsWith("--host-resolver-rules=", StringComparison.Ordinal));

        var seen = await recorders.Run(
            $"""
            look="chromium-headless-shell --disable-gpu --user-data-dir=/tmp/profile --dump-dom"
            $look http://{bridge}:{port}/ 2>/dev/null | grep --quiet inside && echo inside, without its rules
            for address in {bridge} [::ffff:{bridge}] host.docker.internal; do
              $look '{rules}' http://$address:{port}/ 2>/dev/null | grep inside
            done
            for name in [fd00::1] [fc12:3::1] fd8bdfef-1e37.local fc.example; do
              $look "{rules},MAP $(echo $name | tr -d []) {bridge}" http://$name:{port}/ 2>/dev/null | grep --quiet inside && echo $name is no address inside
            done
            echo done
            """,
            ("Launching:Image", await BrowserImageAsync()));
        await ended.CancelAsync();
        await serving;

        Assert.Equal(
            ["inside, without its rules", "fd8bdfef-1e37.local is no address inside", "fc.example is no address inside", "done"], Lines(seen));

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var caller = await listener.AcceptTcpClientAsync(ended.Token);
                    await caller.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>inside</p>"u8.ToArray(), ended.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The test has ended.
            }
        }
    }

    [Fact]
    public async Task The_sandbox_of_Chromium_is_on()
    {
        var image = await BrowserImageAsync();

        // Prints the renderer's namespaces, and its number of seccomp filters including the container's.
        var seen = await recorders.Run(
            """
            chromium --headless=new --disable-gpu --user-data-dir=/tmp/profile data:text/html,hello >/tmp/browser.log 2>&1 &
            for attempt in $(seq 200); do
              renderer=$(grep --text --files-with-matches '[-]-type=renderer' /proc/[0-9]*/cmdline 2>/dev/null | head -1)
              [ -n "$renderer" ] && [ "$(sed -n 's/^Seccomp_filters:\t//p' ${renderer%cmdline}status)" = 2 ] && break
              sleep 0.1
            done
            process=${renderer%cmdline}
            [ "$(readlink $process/ns/user)" != "$(readlink /proc/self/ns/user)" ] && echo user namespace of its own
            [ "$(readlink $process/ns/pid)" != "$(readlink /proc/self/ns/pid)" ] && echo process namespace of its own
            [ "$(readlink $process/ns/net)" != "$(readlink /proc/self/ns/net)" ] && echo network namespace of its own
            grep -E '^Seccomp(_filters)?:' $process/status | tr '\t' ' '
            """,
            ("Launching:Image", image));

        Assert.Equal(
            ["user namespace of its own", "process namespace of its own", "network namespace of its own", "Seccomp: 2", "Seccomp_filters: 2"],
            Lines(seen));
    }

    /// <summary>Makes a copy of the recorder image that runs scripts.</summary>
    private static async Task<string> BrowserImageAsync()
    {
        const string Recorder = "newarbots/recorder:dev";
        const string Image = "newarbots-tests/scripted-browser:dev";
        Assert.SkipWhen(
            (await ScriptedRecorders.Docker("image", "inspect", Recorder)).ExitCode != 0,
            $"{Recorder} does not exist: eng/image recorder");
        await ScriptedRecorders.BuildAsync(Image, from: Recorder);
        return Image;
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
