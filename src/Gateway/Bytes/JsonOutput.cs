using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Stoa.Gateway.Bytes;

/// <summary>One JSON writer per thread, used again and again: making one costs as much as writing a small event.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Options = new()
    {
        // The bytes go to JSON clients, never into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    [ThreadStatic]
    private static Utf8JsonWriter? spare;

    public static Utf8JsonWriter Open(IBufferWriter<byte> output)
    {
        var json = spare ?? new Utf8JsonWriter(Stream.Null, Options);
        spare = null;
        json.Reset(output);
        return json;
    }

    /// <summary>Not called when writing fails midway: that writer is dropped with the failure.</summary>
    public static void Close(Utf8JsonWriter json)
    {
        json.Flush();
        json.Reset(Stream.Null);
        spare = json;
    }

    /// <summary>The value without insignificant white space; keys keep their order and numbers their spelling.</summary>
    public static string Compact(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var json = Open(buffer);
        value.WriteTo(json);
        Close(json);
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void WriteIfAny(this Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    public static void WriteIfAny(this Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    public static void WriteIfAny(this Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    public static void WriteIfAny(this Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    public static void WriteElement(this Utf8JsonWriter json, string name, JsonElement value)
    {
        json.WritePropertyName(name);
        value.WriteTo(json);
    }
}
