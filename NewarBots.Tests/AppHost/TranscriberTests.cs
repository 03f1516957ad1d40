using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class TranscriberTests
{
    [Fact]
    public async Task Image_becomes_a_container_with_GPUs_whose_address_the_manager_gets()
    {
        await using var builder = await CreateAsync("--Parameters:transcriber-image=ghcr.io/example/speech:1-cuda", "--Parameters:transcriber-port=9000", "--Parameters:transcriber-gpus=all");

        var server = Assert.IsType<ContainerResource>(Assert.Single(builder.Resources, resource => resource.Name == "transcriber"));
        var image = server.Annotations.OfType<ContainerImageAnnotation>().Last();
        Assert.Equal(("ghcr.io/example/speech:1-cuda", 9000), ($"{(image.Registry is null ? "" : $"{image.Registry}/")}{image.Image}:{image.Tag}", Assert.Single(server.Annotations.OfType<EndpointAnnotation>()).TargetPort));
        var context = new ContainerRuntimeArgsCallbackContext([], TestContext.Current.CancellationToken);
        foreach (var annotation in server.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>())
            await annotation.Callback(context);
        Assert.Equal(["--gpus", "all"], context.Args);
        var manager = builder.Resources.Single(resource => resource.Name == "manager");
        var settings = new EnvironmentCallbackContext(builder.ExecutionContext, manager);
        foreach (var annotation in manager.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(settings);
        Assert.Same(server, Assert.IsType<EndpointReference>(settings.EnvironmentVariables["Transcription__Endpoint"]).Resource);
    }

    [Fact]
    public async Task Invalid_parameters_are_reported_before_anything_starts()
    {
        var wrong = await Assert.ThrowsAnyAsync<Exception>(
            () => CreateAsync("--Parameters:transcriber-image=speech", "--Parameters:transcriber-port=many", "--Transcription:Endpoint=http://gpu:8000"));

        Assert.Equal(
            [
                "Parameters__transcriber-port must be a port, 1 to 65535 (it is 'many').",
                "Parameters__transcriber-image starts a speech server, and Transcription__Endpoint names another one. Set only one of them.",
            ],
            Assert.IsType<InvalidSettingsException>(wrong.GetBaseException()).Faults);
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.NewarBots_AppHost>(args, TestContext.Current.CancellationToken);
}
