using System.Buffers;
using System.Text;

namespace NewarBots.Manager.Api;

/// <summary>
/// Writes UTF-8 text that a terminal may display: line feeds and tabs stay, and every other control character becomes visible, so that escape
/// sequences in untrusted text have no effect. Invalid bytes become U+FFFD. Uses constant memory.
/// </summary>
/// <param name="inner">The target. It stays open.</param>
internal sealed class PlainTextStream(Stream inner) : Stream
{
    private const int Piece = 8 * 1024;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var piece = buffer[..Math.Min(buffer.Length, Piece)];
            buffer = buffer[piece.Length..];
            await WritePieceAsync(piece, isLast: false, cancellationToken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <summary>Writes the rest of a text that ended within a character.</summary>
    public Task CompleteAsync(CancellationToken cancellation) => WritePieceAsync(ReadOnlyMemory<byte>.Empty, isLast: true, cancellation);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async Task WritePieceAsync(ReadOnlyMemory<byte> piece, bool isLast, CancellationToken cancellation)
    {
        var characters = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(piece.Length));
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(characters.Length));
        try
        {
            var count = _decoder.GetChars(piece.Span, characters, flush: isLast);
            foreach (ref var character in characters.AsSpan(0, count))
                character = Visible(character);
            var written = Encoding.UTF8.GetBytes(characters.AsSpan(0, count), bytes);
            await inner.WriteAsync(bytes.AsMemory(0, written), cancellation);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(characters);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>
    /// C0 characters and DEL become their pictures (U+2400 and following). C1 characters have none, and characters that reorder a line
    /// would show a false text: both become U+FFFD.
    /// </summary>
    private static char Visible(char character) => character switch
    {
        '\n' or '\t' => character,
        < ' ' => (char)('\u2400' + character),
        '\u007F' => '\u2421',
        (>= '\u0080' and <= '\u009F') or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') => '\uFFFD',
        _ => character,
    };
}
