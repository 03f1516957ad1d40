using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;
using NewarBots.ServiceDefaults;

RecorderEnvironment environment;
JoiningInput input;
var watchdog = new Watchdog(TimeProvider.System, Watchdog.EndProcess);
try
{
    environment = RecorderEnvironment.Read(Environment.GetEnvironmentVariable);
    // Before anything that could hang.
    watchdog.Arm(environment.Leave.MaxDuration + Watchdog.Grace);
    input = JoiningInput.Take(environment);
}
catch (InvalidRecorderEnvironmentException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return (int)RecorderExitCode.InvalidEnvironment;
}

var folder = new StorageLayout(environment.StoragePath).SessionFolder(environment.UserId, environment.SessionId);
Directory.CreateDirectory(folder);
RecorderActivity.ContinueFrom(environment);

var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = TelemetryNames.Recorder });
builder.Configuration.AddEnvironmentVariables();
builder.Logging.AddSimpleConsole(console =>
{
    console.SingleLine = true;
    console.UseUtcTimestamp = true;
    console.TimestampFormat = "HH:mm:ss.fff ";
});
builder.ConfigureOpenTelemetry();
builder.Logging.AddOpenTelemetry(logging => logging.AddProcessor(new LogsUnderTheLaunch(RecorderActivity.Launch)));
builder.Services
    .AddSingleton(environment)
    .AddSingleton(input)
    .AddSingleton(new SteadyClock(TimeProvider.System))
    .AddSingleton<TimeProvider>(services => services.GetRequiredService<SteadyClock>())
    .AddReporting(environment, folder)
    .AddRecording(folder)
    .AddJoining()
    .AddLeaving(watchdog)
    .AddVisits(environment)
    .AddSingleton<RecorderRun>()
    .AddSingleton<LastWords>();

// The host is not run: a recorder has one thing to do and then ends. Its services are what is needed, telemetry first.
var host = builder.Build();
host.Services.StartTelemetry();
host.Services.GetRequiredService<StopSignal>().ListenToSignals();
host.Services.GetService<RedisStatusSender>()?.Start();
var exitCode = await host.Services.GetRequiredService<RecorderRun>().RunAsync();
await host.Services.GetRequiredService<LastWords>().SayAsync();
await LastWords.CloseAsync(host);
return (int)exitCode;
