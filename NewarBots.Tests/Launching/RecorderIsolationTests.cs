using NewarBots.Manager.Launching;

namespace NewarBots.Tests.Launching;

/// <summary>What a container of a bot may and may not do, asked from inside it.</summary>
public sealed class RecorderIsolationTests(ScriptedRecorders recorders) : IClassFixture<ScriptedRecorders>
{
    [Fact]
    public async Task It_is_nobody_and_has_no_rights_and_gets_none()
    {
        var seen = await recorders.Run("id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'");

        Assert.Equal(
            [$"{ContainerUser.OfRecorders.Uid}", "CapEff:0000000000000000", "CapBnd:0000000000000000", "NoNewPrivs:1", "Seccomp:2"],
            Lines(seen));
    }

    [Fact]
    public async Task It_writes_to_its_own_session_folder_and_to_nothing_that_stays()
    {
        var bot = recorders.Bot(
            """
            own=/app/storage/recordings/temp/user_$USER_ID/$RECORDING_SESSION_ID
            echo chunk > $own/chunk && echo own
            for place in / /app/storage /app/storage/recordings/temp/user_$USER_ID /etc /usr /run /var/tmp; do
              touch $place/x 2>/dev/null && echo $place
            done
            touch /tmp/x /dev/shm/x && echo fleeting
            ls /app/storage/recordings/temp
            """);

        await recorders.Containers.LaunchAsync(bot, CancellationToken.None);
        await recorders.ExitOf(bot.Environment.SessionId);

        Assert.Equal(["own", "fleeting", "user_anna"], Lines(await recorders.LogOf(bot.Environment.SessionId)));
        Assert.Equal("chunk\n", await File.ReadAllTextAsync(Path.Combine(bot.SessionFolder, "chunk")));
    }

    [Fact]
    public async Task Its_memory_processors_and_processes_are_limited()
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
    public async Task It_may_make_a_user_namespace_but_mount_and_trace_nothing_in_it()
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
        await recorders.Containers.RemoveAsync(server.Environment.SessionId, CancellationToken.None);
    }

    [Fact]
    public async Task Chromiums_own_sandbox_is_on()
    {
        const string Recorder = "newarbots/recorder:dev";
        const string Image = "newarbots-tests/scripted-browser:dev";
        Assert.SkipWhen(
            (await ScriptedRecorders.Docker("image", "inspect", Recorder)).ExitCode != 0,
            $"{Recorder} is not there: dotnet build NewarBots.Recorder -t:RecorderImage");
        await ScriptedRecorders.BuildAsync(Image, from: Recorder);

        // For each renderer: its user namespace, and how many seccomp filters it has beside the container's.
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
            ("Launching:Image", Image));

        Assert.Equal(
            ["user namespace of its own", "process namespace of its own", "network namespace of its own", "Seccomp: 2", "Seccomp_filters: 2"],
            Lines(seen));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
