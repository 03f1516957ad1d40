#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is marked experimental.

using NewarBots.AppHost;

var builder = DistributedApplication.CreateBuilder(args);

var settings = ManagerSettings.Read(builder.Configuration, Path.GetFullPath("..", builder.AppHostDirectory));
var storagePath = builder.AddParameter("storage-path", settings.StoragePath);
var allowedHosts = builder.AddParameter("allowed-meeting-hosts", settings.AllowedMeetingHosts);
var maxBots = builder.AddParameter("max-concurrent-bots", settings.MaxConcurrentBots);

// Bots outlive the AppHost and reconnect to Redis at the same address, so its container and port are persistent.
// They do not trust the development certificate, so Redis runs without TLS, on this machine only.
var redis = builder.AddRedis("redis", port: 18890)
    .WithoutHttpsCertificate()
    .WithDataVolume()
    .WithLifetime(ContainerLifetime.Persistent);

// Builds the recorder image if it is outdated, then exits. The manager starts the containers.
var recorderImage = builder.AddExecutable("recorder-image", "eng/recorder-image", "..")
    .WithIconName("BoxToolbox")
    .ExcludeFromManifest();

// Not proxied, because the manager forwards its own port to its recorders.
builder.AddProject<Projects.NewarBots_Manager>("manager")
    .WithEndpoint("http", endpoint => endpoint.IsProxied = false)
    .WithExternalHttpEndpoints()
    .WithManagerHealthCheck()
    .WithUrlForEndpoint("http", url => url.DisplayText = "Bots").WithLink("API", "/scalar").WithLink("Rehearsal", "/rehearsal")
    .WithEnvironment("Storage__Path", storagePath)
    .WithEnvironment("Launching__MaxConcurrentBots", maxBots)
    .WithAllowedMeetingHosts(allowedHosts)
    .WithReference(redis)
    .WaitFor(redis)
    .WaitForCompletion(recorderImage)
    .WithBotsAsChildren();

builder.Build().Run();
