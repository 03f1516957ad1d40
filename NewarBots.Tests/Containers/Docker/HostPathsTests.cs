using NewarBots.Manager.Containers.Docker;

namespace NewarBots.Tests.Containers.Docker;

public sealed class HostPathsTests
{
    private static readonly HostMount[] Mounts =
    [
        new("/app", "/srv/app"),
        new("/app/storage", "/var/lib/docker/volumes/recordings/_data"),
        new("/var/run/docker.sock", "/var/run/docker.sock"),
    ];

    [Theory]
    [InlineData("/app/storage", "/var/lib/docker/volumes/recordings/_data")]
    [InlineData("/app/storage/recordings/temp", "/var/lib/docker/volumes/recordings/_data/recordings/temp")]
    [InlineData("/app/storage-of-others", "/srv/app/storage-of-others")]
    [InlineData("/elsewhere", null)]
    public void The_innermost_mount_gives_the_host_path(string inside, string? outside)
    {
        Assert.Equal(outside, HostPaths.Resolve(inside, Mounts));
    }

    [Fact]
    public void A_container_of_another_engine_uses_the_same_paths_as_the_host()
    {
        Assert.Equal("/data/recordings", HostPaths.Resolve("/data/recordings", [new("/", "/")]));
    }

    [Fact]
    public void The_id_of_the_own_container_is_read_from_the_mounts()
    {
        var id = new string('a', 64);
        var mounts = $"""
            1 2 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/X
            3 1 8:1 /var/lib/docker/containers/{id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw
            4 1 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
            """;

        Assert.Equal(id, HostPaths.ContainerIdOf(mounts));
        Assert.Null(HostPaths.ContainerIdOf("1 2 8:1 / / rw - ext4 /dev/sda1 rw"));
    }

    [Fact]
    public void The_stack_name_identifies_the_storage_folder()
    {
        Assert.Matches("^[0-9a-f]{12}$", RecorderStack.NameFor("/srv/one"));
        Assert.Equal(RecorderStack.NameFor("/srv/one"), RecorderStack.NameFor("/srv/one"));
        Assert.NotEqual(RecorderStack.NameFor("/srv/one"), RecorderStack.NameFor("/srv/two"));
    }
}
