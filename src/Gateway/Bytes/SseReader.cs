using System.Text;

namespace Stoa.Gateway.Bytes;

/// <summary>
/// Splits a block of bytes into server-sent events, in place. The in-box parser reads a stream event by event; here a block that
/// arrived in one piece must leave in one piece, so the caller keeps the reading.
/// </summary>
internal ref struct SseReader(ReadOnlySpan<byte> block)
{
    /// <summary>A longer event is not one.</summary>
    public const int MaxEventBytes = 8 << 20;

    private ReadOnlySpan<byte> rest = block;

    /// <summary>The event's name; <c>message</c> when it has none.</summary>
    public string Type { get; private set; } = "message";

    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>How many bytes of the block stand behind this event.</summary>
    public readonly int Left => rest.Length;

    /// <summary>How many bytes from the start are whole events; what follows is the beginning of the next.</summary>
    public static int CompleteLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.EndsWith("\n\n"u8))
        {
            return bytes.Length;
        }
        var end = Math.Max(Behind(bytes, "\n\n"u8), Behind(bytes, "\r\n\r\n"u8));
        return Math.Max(end, Behind(bytes, "\r\r"u8));

        static int Behind(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> gap) =>
            bytes.LastIndexOf(gap) is >= 0 and var at ? at + gap.Length : 0;
    }

    /// <summary>The length of the first event, its closing blank line included; all of it when it is not closed.</summary>
    public static int FirstLength(ReadOnlySpan<byte> bytes)
    {
        var plain = bytes.IndexOf("\n\n"u8);
        var dos = bytes.IndexOf("\r\n\r\n"u8);
        return (plain, dos) switch
        {
            ( < 0, < 0) => bytes.Length,
            (_, < 0) => plain + 2,
            ( < 0, _) => dos + 4,
            _ => Math.Min(plain + 2, dos + 4),
        };
    }

    /// <summary>Moves to the next event that carries data; comments and empty events are passed over.</summary>
    public bool Next()
    {
        Type = "message";
        Data = default;
        var hasData = false;
        while (rest.Length > 0)
        {
            var line = TakeLine();
            if (line.IsEmpty)
            {
                if (hasData)
                {
                    return true;
                }
                Type = "message";
                continue;
            }
            if (FieldOf(line, "data:"u8, out var data))
            {
                Data = hasData ? (byte[])[.. Data, (byte)'\n', .. data] : data;
                hasData = true;
            }
            else if (FieldOf(line, "event:"u8, out var name))
            {
                Type = Encoding.UTF8.GetString(name);
            }
        }
        return hasData;
    }

    private static bool FieldOf(ReadOnlySpan<byte> line, ReadOnlySpan<byte> field, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!line.StartsWith(field))
        {
            return false;
        }
        value = line[field.Length..];
        value = value.Length > 0 && value[0] == ' ' ? value[1..] : value;
        return true;
    }

    private ReadOnlySpan<byte> TakeLine()
    {
        var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            var last = rest;
            rest = default;
            return last;
        }
        var line = rest[..end];
        var next = end + (rest[end] == '\r' && end + 1 < rest.Length && rest[end + 1] == '\n' ? 2 : 1);
        rest = rest[next..];
        return line;
    }
}
