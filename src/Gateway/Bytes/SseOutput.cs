using System.Buffers;
using System.Text.Json;

namespace Stoa.Gateway.Bytes;

/// <summary>The bytes around the JSON of a server-sent event.</summary>
internal static class SseOutput
{
    public static Utf8JsonWriter Open(IBufferWriter<byte> output, ReadOnlySpan<byte> head)
    {
        output.Write(head);
        return JsonOutput.Open(output);
    }

    public static void Close(IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        JsonOutput.Close(json);
        output.Write("\n\n"u8);
    }
}
