namespace NewarBots.Manager.Recordings;

/// <summary>Reads the output of an untrusted process, up to a limit.</summary>
/// <param name="output">Stays open.</param>
/// <param name="maxBytes">Reading more throws a <see cref="FinalizationBudgetException"/>.</param>
internal sealed class ResultStream(Stream output, long maxBytes) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(await output.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Counted(output.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Counted(int bytes) => (_read += bytes) <= maxBytes
        ? bytes
        : throw new FinalizationBudgetException("description length", $"The description of the recording is longer than {maxBytes} bytes.");
}
