using NewarBots.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddRedis("redis");

var app = builder.Build();
app.MapDefaultEndpoints();
app.Run();
