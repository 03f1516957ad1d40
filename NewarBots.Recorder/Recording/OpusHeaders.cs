using System.Buffers.Binary;
using System.Text;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>The two header packets of an Ogg Opus stream (RFC 7845, section 5), and the packet that holds 20 ms of silence.</summary>
internal static class OpusHeaders
{
    private const string Vendor = "NewarBots";

    /// <summary>A CELT frame, full band, 20 ms, mono, whose only content is its silence flag (RFC 6716, section 4.3).</summary>
    public static ReadOnlySpan<byte> SilencePacket => [0xF8, 0xFF, 0xFE];

    /// <summary>Mono at 48 kHz with a pre-skip of 0: the encoder's 6.5 ms of warm-up stay in, so that chunks join without a seam.</summary>
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
}
