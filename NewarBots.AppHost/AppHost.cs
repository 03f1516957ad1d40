using NewarBots.AppHost;

var builder = DistributedApplication.CreateBuilder(args);

var addresses = Addresses.Read(builder.Configuration, Environment.GetEnvironmentVariable(Addresses.ManagerUrlsKey));
builder.UseAddresses(addresses);

var settings = ManagerSettings.Read(builder.Configuration, Path.GetFullPath("..", builder.AppHostDirectory));
var storagePath = builder.AddParameter("storage-path", settings.StoragePath)
    .WithDescription("Folder for recordings, keys and webhooks.");
var allowedHosts = builder.AddParameter("allowed-meeting-hosts", settings.AllowedMeetingHosts)
    .WithDescription("Hosts that bots may visit, separated by commas, each as host or host:port.");
var maxBots = builder.AddParameter("max-concurrent-bots", settings.MaxConcurrentBots)
    .WithDescription("Number of bots that may be in meetings at the same time. More bots wait in the queue.");
builder.AddParameter("manager-key", settings.ManagerKey, secret: true)
    .WithDescription("An admin key. The AppHost calls the manager with it once the manager requires keys.");

var redis = builder.AddRedisForBots(addresses.RedisPort);

// Builds the recorder image if it is outdated, then exits. The manager starts the containers.
var recorderImage = builder.AddImageBuild("recorder-image");

builder.AddProject<ManagerProject>("manager")
    .WithIconName("VideoClip")
    .WithAddresses(addresses)
    .WithRequiredCommand("ffmpeg", "https://ffmpeg.org/download.html")
    .WithManagerHealthCheck(settings.ManagerKey)
    .WithUrlForEndpoint("http", url => url.DisplayText = "Bots").WithLink("API", "/scalar").WithLink("Rehearsal", "/rehearsal")
    .WithEnvironment("Storage__Path", storagePath)
    .WithEnvironment("Launching__MaxConcurrentBots", maxBots)
    .WithAllowedMeetingHosts(allowedHosts)
    .WithTelemetry(addresses.Dashboard)
    .WithReference(redis)
    .WaitFor(redis, WaitBehavior.StopOnResourceUnavailable)
    .WaitForCompletion(recorderImage)
    .WithBotsAsChildren(settings.ManagerKey)
    .WithStartReport(addresses, settings);

builder.Build().Run();
