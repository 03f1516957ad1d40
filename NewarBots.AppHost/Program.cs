#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is marked experimental.

var builder = DistributedApplication.CreateBuilder(args);

// Recorders are siblings that know no development certificate: Redis speaks plainly, on this machine only.
var redis = builder.AddRedis("redis")
    .WithoutHttpsCertificate()
    .WithDataVolume();

var recorderImage = builder.AddExecutable(
        "recorder-image", "dotnet", "../NewarBots.Recorder", "build", "-target:RecorderImage", "-nologo")
    .WithIconName("BoxToolbox")
    .ExcludeFromManifest();

// Not proxied: the manager forwards its own port to its recorders and must hold it itself.
builder.AddProject<Projects.NewarBots_Manager>("manager")
    .WithEndpoint("http", endpoint => endpoint.IsProxied = false)
    .WithExternalHttpEndpoints()
    .WithUrlForEndpoint("http", url => url.DisplayText = "Bots")
    .WithHttpHealthCheck("/health")
    .WithEnvironment("Storage__Path", builder.Configuration["Storage:Path"] ?? Path.GetFullPath("../storage", builder.AppHostDirectory))
    .WithReference(redis)
    .WaitFor(redis)
    .WaitForCompletion(recorderImage);

builder.Build().Run();
