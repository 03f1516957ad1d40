using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Dashboard;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Mcp;
using NewarBots.Manager.Reconciling;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Manager.Rehearsal;
using NewarBots.Manager.Scheduling;
using NewarBots.Manager.Telemetry;
using NewarBots.Manager.Tracking;
using NewarBots.Manager.Webhooks;
using NewarBots.ServiceDefaults;

if (args is [AssembleCommand.Name])
    return await AssembleCommand.RunAsync();

StartFailure.PrintPlainly();
// Settings are read once. Watching their files takes an inotify instance, and a recorder with the same uid can use up all of them.
Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
var builder = WebApplication.CreateBuilder(args);
if (args is [KeysCommand.Name, .. var arguments])
    return await KeysCommand.RunAsync(arguments, builder.Configuration);

StoragePermissions.RestrictNewFiles();
builder.AddPlainStartFailures();
builder.AddServiceDefaults();
builder.AddRedis("redis");

builder.AddHosting();
builder.AddApi();
builder.AddAccess();
builder.AddBots();
builder.AddContainers();
builder.AddLaunching();
builder.AddTracking();
builder.AddRecordings();
builder.AddTranscripts();
builder.AddEnding();
builder.AddReconciling();
builder.AddScheduling();
builder.AddWebhooks();
builder.AddMcp();
builder.AddRehearsal();
builder.AddDashboard();
builder.AddTelemetry();

var app = builder.Build();
app.UsePlainStartFailures();
app.UseResponseHeaders();
app.UseProblemDetails();
app.UseCrossSiteGuard();
app.UseForwardedRequestLimit();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapApiDescription();
app.MapBots();
app.MapStop();
app.MapScreenshot();
app.MapRecordings();
app.MapTranscripts();
app.MapEnding();
app.MapWebhooks();
app.MapAccess();
app.MapMcp();
app.MapRehearsal();
app.MapDashboard();
await app.RunAsync();
return 0;
