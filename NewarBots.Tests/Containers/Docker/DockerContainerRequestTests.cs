using System.Text.Json;
using Docker.DotNet.Models;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;

namespace NewarBots.Tests.Containers.Docker;

public sealed class DockerContainerRequestTests
{
    private static readonly RecorderEnvironment Environment = new() { Browser = BrowserKind.HeadlessShell, ChromiumSandbox = false };

    private static readonly CreateContainerParameters Request = From(new());

    [Fact]
    public void The_container_has_the_name_and_labels_of_its_session()
    {
        Assert.Equal("newar-bot-0193a0", Request.Name);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["newarbots.session"] = "0193a0",
                ["newarbots.user"] = "anna",
                ["newarbots.stack"] = "mine",
            },
            Request.Labels);
    }

    [Fact]
    public void The_recorder_reads_its_environment_back_unchanged()
    {
        var read = RecorderEnvironment.Read(name => Request.Env
            .Where(variable => variable.StartsWith($"{name}=", StringComparison.Ordinal))
            .Select(variable => variable[(name.Length + 1)..])
            .SingleOrDefault());

        Assert.Equal(Environment, read);
    }

    [Fact]
    public void The_container_has_the_default_resource_limits()
    {
        var host = Request.HostConfig;

        Assert.Equal(2L << 30, host.Memory);
        Assert.Equal(host.Memory, host.MemorySwap);
        Assert.Equal(1_000_000_000, host.NanoCPUs);
        Assert.Equal(4096, host.CPUShares);
        Assert.Equal(512, host.PidsLimit);
        Assert.Equal(256L << 20, host.ShmSize);
        Assert.True(host.Init);
        Assert.Equal(RestartPolicyKind.No, host.RestartPolicy.Name);
        Assert.Equal("json-file", host.LogConfig.Type);
        Assert.Equal(("10m", "1"), (host.LogConfig.Config["max-size"], host.LogConfig.Config["max-file"]));
    }

    [Fact]
    public void The_container_has_no_privileges()
    {
        var host = Request.HostConfig;

        Assert.Equal("10001:10001", Request.User);
        Assert.Equal(["ALL"], host.CapDrop);
        Assert.Null(host.CapAdd);
        Assert.False(host.Privileged);
        Assert.True(host.ReadonlyRootfs);
        Assert.Contains("no-new-privileges:true", host.SecurityOpt);
        Assert.Equal("newarbots", host.NetworkMode);
        Assert.Null(host.PidMode);
        Assert.Null(host.Devices);
    }

    [Fact]
    public void The_container_mounts_only_its_own_session_folder()
    {
        var mount = Assert.Single(Request.HostConfig.Mounts);

        Assert.Equal(
            ("bind", "/host/session", "/app/storage/session"),
            (mount.Type, mount.Source, mount.Target));
        Assert.Null(Request.HostConfig.Binds);
        Assert.Null(Request.Volumes);
    }

    [Fact]
    public void Limits_image_and_network_are_configurable()
    {
        var request = From(new() { Image = "other:1", Network = "mine", MemoryMb = 512, Cpus = 0.5, PidsLimit = 100 });

        Assert.Equal("other:1", request.Image);
        Assert.Equal("mine", request.HostConfig.NetworkMode);
        Assert.Equal(
            (512L << 20, 500_000_000, 100),
            (request.HostConfig.Memory, request.HostConfig.NanoCPUs, request.HostConfig.PidsLimit));
    }

    [Fact]
    public void The_seccomp_profile_denies_by_default_and_allows_no_call_that_breaks_out_of_a_sandbox()
    {
        var profile = Assert.Single(Request.HostConfig.SecurityOpt, option => option.StartsWith("seccomp=", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(profile["seccomp=".Length..]);
        var allowed = json.RootElement.GetProperty("syscalls").EnumerateArray()
            .Where(rule => rule.GetProperty("action").GetString() == "SCMP_ACT_ALLOW" && !rule.TryGetProperty("args", out _))
            .SelectMany(rule => rule.GetProperty("names").EnumerateArray().Select(name => name.GetString()))
            .ToHashSet();

        Assert.Equal("SCMP_ACT_ERRNO", json.RootElement.GetProperty("defaultAction").GetString());
        Assert.Empty(allowed.Intersect([
            "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "setns", "ptrace", "process_vm_readv",
            "process_vm_writev", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "io_uring_setup",
            "io_uring_enter", "io_uring_register", "init_module", "finit_module", "kexec_load", "reboot", "clone", "clone3",
            "unshare", "socket", "mknod", "mknodat", "open_by_handle_at",
        ]));
        Assert.Superset(new HashSet<string?> { "chroot", "execve", "futex", "seccomp", "capset" }, allowed);
    }

    private static CreateContainerParameters From(LaunchingOptions options) => DockerContainerRequest.From(
        new RecorderContainerSpec(SessionId.Parse("0193a0"), UserId.Parse("anna"), Environment.ToVariables(), "/manager/session"), options, new(10001, 10001), "/host/session", "mine");
}
