using System.Buffers.Binary;
using System.Text;

namespace NewarBots.Bench.Launching;

/// <summary>One message of protobuf's wire format, read without a schema.</summary>
internal sealed class ProtobufMessage
{
    private readonly List<(int Field, ReadOnlyMemory<byte> Value)> _fields = [];

    private ProtobufMessage()
    {
    }

    public static ProtobufMessage Read(ReadOnlyMemory<byte> bytes)
    {
        var message = new ProtobufMessage();
        while (!bytes.IsEmpty)
        {
            var key = Varint(ref bytes);
            var length = (key & 7) switch
            {
                0 => LengthOfVarint(bytes.Span),
                1 => 8,
                2 => (int)Varint(ref bytes),
                5 => 4,
                var type => throw new InvalidDataException($"There is no wire type {type}."),
            };
            message._fields.Add(((int)(key >> 3), bytes[..length]));
            bytes = bytes[length..];
        }

        return message;
    }

    public IEnumerable<ProtobufMessage> Messages(int field) => _fields.Where(one => one.Field == field).Select(one => Read(one.Value));

    /// <returns>Empty where the field is not there.</returns>
    public string Text(int field) => Encoding.UTF8.GetString(Find(field).Span);

    public ulong Fixed64(int field) => BinaryPrimitives.ReadUInt64LittleEndian(Find(field).Span);

    private ReadOnlyMemory<byte> Find(int field) => _fields.FirstOrDefault(one => one.Field == field).Value;

    private static int LengthOfVarint(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyInRange((byte)0, (byte)0x7f) + 1;

    private static ulong Varint(ref ReadOnlyMemory<byte> bytes)
    {
        var length = LengthOfVarint(bytes.Span);
        var value = 0UL;
        for (var i = 0; i < length; i++)
            value |= (ulong)(bytes.Span[i] & 0x7f) << (7 * i);
        bytes = bytes[length..];
        return value;
    }
}
