using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using NewarBots.Contract;
using NewarBots.Recorder;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Reporting;
using NewarBots.ServiceDefaults;

RecorderEnvironment environment;
RecorderAssignment assignment;
JoiningInput input;
var watchdog = new Watchdog(TimeProvider.System, Watchdog.EndProcess);
try
{
    environment = RecorderEnvironment.Read(Environment.GetEnvironmentVariable);
    // Armed first: reading the input may already hang.
    watchdog.Arm(Watchdog.Grace);
    assignment = InputFile.Take(environment.SessionFolder, SessionInput.Assignment, RecorderAssignment.Parse);
    input = JoiningInput.Take(environment.SessionFolder, assignment);
    watchdog.Arm(assignment.Leave.MaxDuration + Watchdog.Grace);
}
catch (InvalidRecorderInputException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return (int)RecorderExitCode.InvalidInput;
}

RecorderActivity.ContinueFrom(assignment);

var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = TelemetryNames.Recorder });
builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(assignment.TelemetrySettings());
builder.Logging.AddConsole(console => console.FormatterName = LogLineFormatter.Format).AddConsoleFormatter<LogLineFormatter, ConsoleFormatterOptions>();
builder.ConfigureOpenTelemetry();
builder.Logging.AddOpenTelemetry(logging => logging.AddProcessor(new LaunchTraceLogProcessor(RecorderActivity.Launch)));
builder.Services.AddRecorder(environment, assignment, input, watchdog);

// The host is built for its services but never run: a recorder does one thing and exits.
var host = builder.Build();
host.Services.StartTelemetry();
host.Services.GetRequiredService<StopSignal>().ListenToSignals();
host.Services.GetService<RedisStatusSender>()?.Start();
var exitCode = await host.Services.GetRequiredService<RecorderRun>().RunAsync();
await host.Services.GetRequiredService<ShutdownFlush>().FlushAsync();
await ShutdownFlush.CloseAsync(host);
return (int)exitCode;
