using NewarBots.Manager.Access;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Describing;
using NewarBots.Manager.Finalizing;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Page;
using NewarBots.Manager.Reconciling;
using NewarBots.Manager.Rehearsing;
using NewarBots.Manager.Removing;
using NewarBots.Manager.Scheduling;
using NewarBots.Manager.Telemetry;
using NewarBots.Manager.Tracking;
using NewarBots.Manager.Webhooks;
using NewarBots.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
if (args is [KeysCommand.Name, .. var arguments])
    return await KeysCommand.RunAsync(arguments, builder.Configuration);

builder.AddServiceDefaults();
builder.AddRedis("redis");

builder.AddAccess();
builder.AddBots();
builder.AddScheduling();
builder.AddLaunching();
builder.AddTracking();
builder.AddReconciling();
builder.AddFinalizing();
builder.AddRemoving();
builder.AddRehearsing();
builder.AddWebhooks();
builder.AddTelemetry();
builder.AddPage();

var app = builder.Build();
app.UseResponseHeaders();
app.UseProblemDetails();
app.UseForeignPageLimit();
app.UseRelayedRequestLimit();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapApiDescription();
app.MapAccess();
app.MapBots();
app.MapWebhooks();
app.MapRehearsal();
app.MapPage();
await app.RunAsync();
return 0;
