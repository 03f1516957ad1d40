using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Tests.Containers;

public sealed class RuntimeChoiceTests
{
    [Theory]
    [InlineData(null, typeof(DockerRuntime))]
    [InlineData("docker", typeof(DockerRuntime))]
    [InlineData("kubernetes", typeof(KubernetesRuntime))]
    public void The_runtime_is_chosen_by_a_setting(string? setting, Type expected)
    {
        Assert.Equal(expected, Assert.Single(Add(setting).Services, service => service.ServiceType == typeof(IRecorderRuntime)).ImplementationType);
    }

    [Fact]
    public void An_unknown_runtime_is_rejected_with_its_key()
    {
        var exception = Assert.Throws<OptionsValidationException>(() => Add("swarm"));

        Assert.Equal("Recorders:Runtime must be docker or kubernetes (it is 'swarm').", exception.Message);
    }

    private static WebApplicationBuilder Add(string? setting)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Configuration["Recorders:Runtime"] = setting;
        builder.AddContainers();
        return builder;
    }
}
