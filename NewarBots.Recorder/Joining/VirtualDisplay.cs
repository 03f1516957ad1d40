using CliWrap;

namespace NewarBots.Recorder.Joining;

/// <summary>The screen that a headed browser needs: an Xvfb that chose its own free number.</summary>
internal sealed class VirtualDisplay : IAsyncDisposable
{
    public const int Width = 1280;
    public const int Height = 720;

    private readonly CancellationTokenSource _kill = new();

    private VirtualDisplay(string name) => Name = name;

    /// <summary>For <c>DISPLAY</c>, for example <c>:0</c>.</summary>
    public string Name { get; private set; }

    /// <exception cref="InvalidOperationException">It did not start; the message has what it wrote.</exception>
    public static async Task<VirtualDisplay> StartAsync()
    {
        var display = new VirtualDisplay(string.Empty);
        var started = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        // -displayfd 1: writes the number to the standard output once clients can connect. GLX would bring a software renderer with
        // a compiler into memory, which Chromium has of its own.
        var errors = new System.Text.StringBuilder();
        var run = Cli.Wrap("Xvfb")
            .WithArguments(["-displayfd", "1", "-screen", "0", $"{Width}x{Height}x24", "-nolisten", "tcp", "-noreset", "-extension", "GLX"])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(number => started.TrySetResult(number)))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(errors))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync(display._kill.Token);
        if (await Task.WhenAny(started.Task, run.Task) != started.Task)
            throw new InvalidOperationException($"Xvfb exited: {errors}");
        display.Name = $":{await started.Task}";
        return display;
    }

    public async ValueTask DisposeAsync()
    {
        await _kill.CancelAsync();
        _kill.Dispose();
    }
}
