using NewarBots.AppHost;

StartFailure.PrintPlainly();
var builder = DistributedApplication.CreateBuilder(args);

var settings = AppHostSettings.Read(
    builder.Configuration, Environment.GetEnvironmentVariable(Addresses.ManagerUrlsKey), Path.GetFullPath("..", builder.AppHostDirectory));
await builder.UseSettingsAsync(settings);

var (addresses, managerSettings, _) = settings;
var storagePath = builder.AddParameter("storage-path", managerSettings.StoragePath)
    .WithDescription("Folder for recordings, keys and webhooks.");
var allowedHosts = builder.AddParameter("allowed-meeting-hosts", managerSettings.AllowedMeetingHosts)
    .WithDescription("Hosts that bots may visit, separated by commas, each as host or host:port.");
var maxBots = builder.AddParameter("max-concurrent-bots", managerSettings.MaxConcurrentBots)
    .WithDescription("Number of bots that may be in meetings at the same time. More bots wait in the queue.");
builder.AddParameter("manager-key", managerSettings.ManagerKey, secret: true)
    .WithDescription("An admin key. The AppHost calls the manager with it once the manager requires keys.");

var redis = builder.AddRedisForBots(addresses);

// Builds the recorder image if it is outdated, then exits. The manager starts the containers.
var recorderImage = builder.AddImageBuild("recorder-image", "image", "recorder");

builder.AddProject<ManagerProject>("manager")
    .WithIconName("VideoClip")
    .WithAddresses(addresses)
    .WithRequiredCommand("ffmpeg", "https://ffmpeg.org/download.html")
    .WithManagerHealthCheck(managerSettings.ManagerKey)
    .WithUrlForEndpoint("http", url => url.DisplayText = "Bots").WithLink("API", "/scalar").WithLink("Rehearsal", "/rehearsal")
    .WithEnvironment("Storage__Path", storagePath)
    .WithEnvironment("Launching__MaxConcurrentBots", maxBots)
    .WithAllowedMeetingHosts(allowedHosts)
    .WithTelemetry(addresses.Dashboard)
    .WithTranscriber(settings.Transcriber)
    .WithReference(redis)
    .WaitFor(redis, WaitBehavior.StopOnResourceUnavailable)
    .WaitForCompletion(recorderImage)
    .WithBotsAsChildren(managerSettings.ManagerKey)
    .WithStartReport();

await builder.Build().RunAsync();
return Environment.ExitCode;
