using NewarBots.Manager.Rehearsing;
using NewarBots.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddRedis("redis");
builder.AddRehearsing();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapRehearsal();
app.Run();
