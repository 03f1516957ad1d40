namespace NewarBots.AppHost;

internal static class RecorderImageExtensions
{
    /// <summary>
    /// Builds the recorder's image where it is not up to date, with the build's log as the resource's: something to wait for until
    /// it is completed. Nothing of the image runs by itself; the manager starts its containers.
    /// </summary>
    public static IResourceBuilder<ExecutableResource> AddRecorderImage(this IDistributedApplicationBuilder builder, [ResourceName] string name) =>
        builder.AddExecutable(name, "eng/recorder-image", "..")
            .WithIconName("BoxToolbox")
            .ExcludeFromManifest();
}
