using CliWrap;

namespace NewarBots.Recorder.Joining;

/// <summary>The display of a headed browser: an Xvfb that picks a free display number.</summary>
internal sealed class VirtualDisplay : IAsyncDisposable
{
    public const int Width = 1280;
    public const int Height = 720;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _kill = new();

    private VirtualDisplay(string name) => Name = name;

    /// <summary>The value for <c>DISPLAY</c>, for example <c>:0</c>.</summary>
    public string Name { get; private set; }

    /// <exception cref="InvalidOperationException">
    /// Xvfb exited, or did not respond within 30 s and was killed. The message has its error output.
    /// </exception>
    public static async Task<VirtualDisplay> StartAsync()
    {
        var display = new VirtualDisplay(string.Empty);
        var started = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        // -displayfd 1 writes the number to standard output once clients can connect. Without GLX, Xvfb does not load a software renderer,
        // which Chromium has itself.
        var errors = new System.Text.StringBuilder();
        var run = Cli.Wrap("Xvfb")
            .WithArguments(["-displayfd", "1", "-screen", "0", $"{Width}x{Height}x24", "-nolisten", "tcp", "-noreset", "-extension", "GLX"])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(number => started.TrySetResult(number)))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(errors))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync(display._kill.Token);
        var first = await Task.WhenAny(started.Task, run.Task, Task.Delay(StartTimeout, TimeProvider.System));
        if (first != started.Task)
        {
            await display.DisposeAsync();
            throw new InvalidOperationException($"{(first == run.Task ? "Xvfb exited" : "Xvfb did not start in time")}: {errors}");
        }

        display.Name = $":{await started.Task}";
        return display;
    }

    public async ValueTask DisposeAsync()
    {
        await _kill.CancelAsync();
        _kill.Dispose();
    }
}
