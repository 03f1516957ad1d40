using System.Buffers.Binary;
using System.Text;

namespace NewarBots.Contract.Ogg;

/// <summary>The two header packets of an Ogg Opus stream (RFC 7845, section 5), and a packet of 20 ms of silence.</summary>
public static class OpusHeaders
{
    private const string Vendor = "NewarBots";

    /// <summary>A CELT frame (full band, 20 ms, mono) with only its silence flag (RFC 6716, section 4.3).</summary>
    public static ReadOnlySpan<byte> SilencePacket => [0xF8, 0xFF, 0xFE];

    /// <summary>Mono, 48 kHz, pre-skip 0. The encoder's 6.5 ms of warm-up stay in the audio, so that chunks join seamlessly.</summary>
    public static byte[] Head()
    {
        var head = new byte[19];
        "OpusHead"u8.CopyTo(head);
        head[8] = 1;
        head[9] = ChunkFormat.Channels;
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), ChunkFormat.SampleRate);
        return head;
    }

    public static byte[] Tags(IReadOnlyList<KeyValuePair<string, string>> comments)
    {
        using var packet = new MemoryStream();
        using (var writer = new BinaryWriter(packet))
        {
            writer.Write("OpusTags"u8);
            WriteText(Vendor);
            writer.Write((uint)comments.Count);
            foreach (var (name, value) in comments)
                WriteText($"{name}={value}");

            void WriteText(string text)
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                writer.Write((uint)bytes.Length);
                writer.Write(bytes);
            }
        }

        return packet.ToArray();
    }

    /// <summary>Whether the packet equals <see cref="Head"/>, apart from the input sample rate.</summary>
    public static bool IsHead(ReadOnlySpan<byte> packet)
    {
        const int inputSampleRate = 12;
        var head = Head().AsSpan();
        return packet.Length == head.Length
            && packet[..inputSampleRate].SequenceEqual(head[..inputSampleRate])
            && packet[(inputSampleRate + 4)..].SequenceEqual(head[(inputSampleRate + 4)..]);
    }

    /// <returns>Names and values of the comments; <see langword="null"/> if the packet is not OpusTags.</returns>
    public static IReadOnlyList<KeyValuePair<string, string>>? ReadTags(ReadOnlySpan<byte> packet)
    {
        if (!packet.StartsWith("OpusTags"u8))
            return null;
        packet = packet[8..];
        var comments = new List<KeyValuePair<string, string>>();
        if (!TryReadText(ref packet, out _) || !TryReadLength(ref packet, out var count))
            return null;
        for (var i = 0u; i < count; i++)
        {
            if (!TryReadText(ref packet, out var comment))
                return null;
            var separator = comment.IndexOf('=', StringComparison.Ordinal);
            if (separator > 0)
                comments.Add(new(comment[..separator], comment[(separator + 1)..]));
        }

        return comments;
    }

    private static bool TryReadText(ref ReadOnlySpan<byte> from, out string text)
    {
        text = string.Empty;
        if (!TryReadLength(ref from, out var length) || length > from.Length)
            return false;
        text = Encoding.UTF8.GetString(from[..(int)length]);
        from = from[(int)length..];
        return true;
    }

    private static bool TryReadLength(ref ReadOnlySpan<byte> from, out uint length)
    {
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(from, out length))
            return false;
        from = from[4..];
        return true;
    }
}
