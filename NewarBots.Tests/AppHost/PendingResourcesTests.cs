using Aspire.Hosting.ApplicationModel;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class PendingResourcesTests
{
    private readonly ParameterResource _image = new("redis-image", _ => "");
    private readonly ParameterResource _redis = new("redis", _ => "");
    private readonly ParameterResource _recorderImage = new("recorder-image", _ => "");
    private readonly ParameterResource _manager = new("manager", _ => "");
    private readonly Dictionary<IResource, CustomResourceSnapshot> _snapshots = [];

    public PendingResourcesTests()
    {
        _redis.Annotations.Add(new WaitAnnotation(_image, WaitType.WaitForCompletion));
        _manager.Annotations.Add(new WaitAnnotation(_redis, WaitType.WaitUntilHealthy));
        _manager.Annotations.Add(new WaitAnnotation(_recorderImage, WaitType.WaitForCompletion));
    }

    [Fact]
    public void Before_anything_exists_the_first_causes_are_pending()
    {
        Assert.Equal(["redis-image", "recorder-image"], Pending());
        Assert.Equal("not created yet", PendingResources.Describe(null));
    }

    [Fact]
    public void A_resource_that_waits_itself_is_no_cause()
    {
        Set(_image, KnownResourceStates.Running);
        Set(_redis, KnownResourceStates.Waiting);
        Set(_recorderImage, KnownResourceStates.Finished, exitCode: 0);

        Assert.Equal(["redis-image"], Pending());
    }

    [Fact]
    public void A_container_that_starts_is_a_cause()
    {
        Set(_image, KnownResourceStates.Finished, exitCode: 0);
        Set(_redis, KnownResourceStates.Starting);
        Set(_recorderImage, KnownResourceStates.Finished, exitCode: 0);

        Assert.Equal(["redis"], Pending());
        Assert.Equal("starting", PendingResources.Describe(_snapshots[_redis]));
    }

    [Fact]
    public void A_failed_build_is_a_cause()
    {
        Set(_image, KnownResourceStates.Finished, exitCode: 1);
        Set(_recorderImage, KnownResourceStates.Finished, exitCode: 0);

        Assert.Equal(["redis-image"], Pending());
    }

    [Fact]
    public void Without_a_cause_the_goal_itself_is_pending()
    {
        Set(_image, KnownResourceStates.Finished, exitCode: 0);
        Set(_redis, KnownResourceStates.Running);
        Set(_recorderImage, KnownResourceStates.Finished, exitCode: 0);

        Assert.Equal(["manager"], Pending());
    }

    private IEnumerable<string> Pending() => PendingResources.Of(_manager, resource => _snapshots.GetValueOrDefault(resource)).Select(resource => resource.Name);

    private void Set(IResource resource, string state, int? exitCode = null) =>
        _snapshots[resource] = new() { ResourceType = "Test", Properties = [], State = new(state, null), ExitCode = exitCode };
}
