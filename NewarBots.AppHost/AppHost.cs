#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is marked experimental.

using NewarBots.AppHost;

var builder = DistributedApplication.CreateBuilder(args);

var settings = ManagerSettings.Read(builder.Configuration, Path.GetFullPath("..", builder.AppHostDirectory));
var storagePath = builder.AddParameter("storage-path", settings.StoragePath);
var allowedHosts = builder.AddParameter("allowed-meeting-hosts", settings.AllowedMeetingHosts);
var maxBots = builder.AddParameter("max-concurrent-bots", settings.MaxConcurrentBots);

// Bots outlive the AppHost and look for Redis where it was: its container stays, and so does its port.
// They know no development certificate either: Redis speaks plainly, on this machine only.
var redis = builder.AddRedis("redis", port: 18890)
    .WithoutHttpsCertificate()
    .WithDataVolume()
    .WithLifetime(ContainerLifetime.Persistent);

var recorderImage = builder.AddRecorderImage("recorder-image");

// Not proxied: the manager forwards its own port to its recorders and must hold it itself.
builder.AddProject<Projects.NewarBots_Manager>("manager")
    .WithEndpoint("http", endpoint => endpoint.IsProxied = false)
    .WithExternalHttpEndpoints()
    .WithOwnHealthCheck()
    .WithUrlForEndpoint("http", url => url.DisplayText = "Bots").WithLink("API", "/scalar").WithLink("Rehearsal", "/rehearsal")
    .WithEnvironment("Storage__Path", storagePath)
    .WithEnvironment("Launching__MaxConcurrentBots", maxBots)
    .WithAllowedMeetingHosts(allowedHosts)
    .WithReference(redis)
    .WaitFor(redis)
    .WaitForCompletion(recorderImage)
    .WithBotsAsChildren();

builder.Build().Run();
