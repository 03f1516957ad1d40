using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>A speech server in a container of its own, which the manager then uses for transcripts.</summary>
/// <param name="Image">An image of a server that speaks OpenAI's protocol.</param>
/// <param name="Port">The port in the container.</param>
/// <param name="Gpus">The value of Docker's <c>--gpus</c>; <see langword="null"/>: none.</param>
internal sealed record Transcriber(string Image, int Port, string? Gpus)
{
    private const string EndpointKey = "Transcription:Endpoint";

    private const string ImageKey = "Parameters:transcriber-image";

    private const string PortKey = "Parameters:transcriber-port";

    private const string GpusKey = "Parameters:transcriber-gpus";

    private const string DefaultPort = "8000";

    /// <returns><see langword="null"/> if no image is set: then the setting <c>Transcription:Endpoint</c> may name a server that runs elsewhere.</returns>
    /// <exception cref="InvalidSettingsException">The message names every invalid value.</exception>
    public static Transcriber? Read(IConfiguration configuration)
    {
        if (Value(ImageKey) is not { } image)
            return null;
        var faults = new List<string>();
        var port = Value(PortKey) ?? DefaultPort;
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535)
            faults.Add($"{AppHostSettings.NameOf(PortKey)} must be a port, 1 to 65535 (it is '{port}').");
        if (!string.IsNullOrWhiteSpace(configuration[EndpointKey]))
            faults.Add($"{AppHostSettings.NameOf(ImageKey)} starts a speech server, and {AppHostSettings.NameOf(EndpointKey)} names another one. Set only one of them.");
        return faults.Count == 0 ? new(image, number, Value(GpusKey)) : throw new InvalidSettingsException(faults);

        // Shells accept no hyphen in a variable's name.
        string? Value(string key) => (configuration[key] ?? configuration[key.Replace('-', '_')]) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
    }
}

internal static class TranscriberExtensions
{
    private const string Name = "transcriber";

    private const string Endpoint = "http";

    /// <summary>
    /// Starts the speech server and gives its address to the manager. The container is persistent, because it keeps the models that it has downloaded. The
    /// manager does not wait for it: bots record without it, and transcripts are retried.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithTranscriber(this IResourceBuilder<ProjectResource> manager, Transcriber? settings)
    {
        if (settings is null)
            return manager;
        var server = manager.ApplicationBuilder.AddContainer(Name, settings.Image)
            .WithIconName("Mic")
            .WithHttpEndpoint(targetPort: settings.Port, name: Endpoint)
            .WithLifetime(ContainerLifetime.Persistent);
        if (settings.Gpus is { } gpus)
            server.WithContainerRuntimeArgs("--gpus", gpus);
        return manager.WithEnvironment("Transcription__Endpoint", server.GetEndpoint(Endpoint));
    }
}
