using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Stoa.Platform.Telemetry;

/// <summary>One log line, as JSON for machines or as text for people.</summary>
internal sealed class LogLine(LogFormat format)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? scratch;

    [ThreadStatic]
    private static Utf8JsonWriter? json;

    /// <summary>The line with its end, in an array of the shared pool that the taker returns.</summary>
    public ArraySegment<byte> Format<TState>(
        DateTimeOffset at, LogLevel level, string category, EventId id, TState state, Exception? error,
        Func<TState, Exception?, string> formatter)
    {
        var buffer = scratch ??= new(512);
        buffer.ResetWrittenCount();
        var message = formatter(state, error);
        if (format == LogFormat.Json)
        {
            WriteJson(buffer, at, level, category, id, state, message, error);
        }
        else
        {
            WriteText(buffer, at, level, category, message, error);
        }
        buffer.Write("\n"u8);
        var text = ArrayPool<byte>.Shared.Rent(buffer.WrittenCount);
        buffer.WrittenSpan.CopyTo(text);
        var length = buffer.WrittenCount;
        if (buffer.Capacity > 64 * 1024)
        {
            (scratch, json) = (null, null);
        }
        return new(text, 0, length);
    }

    private static void WriteJson<TState>(
        ArrayBufferWriter<byte> buffer, DateTimeOffset at, LogLevel level, string category, EventId id, TState state,
        string message, Exception? error)
    {
        var writer = json ??= new(buffer, Relaxed);
        writer.Reset(buffer);
        writer.WriteStartObject();
        writer.WriteString("ts", at.UtcDateTime);
        writer.WriteString("level", NameOf(level));
        writer.WriteString("category", category);
        if (id.Name is not null)
        {
            writer.WriteString("event", id.Name);
        }
        writer.WriteString("message", message);
        if (state is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 1 } fields)
        {
            writer.WriteStartObject("fields");
            for (var i = 0; i < fields.Count; i++)
            {
                if (fields[i].Key != "{OriginalFormat}")
                {
                    WriteField(writer, fields[i].Key, fields[i].Value);
                }
            }
            writer.WriteEndObject();
        }
        var request = RequestScope.Current;
        if (request is not null)
        {
            writer.WriteString("request_id", request.Id);
        }
        if ((Activity.Current?.TraceId.ToHexString() ?? request?.TraceId) is { } trace)
        {
            writer.WriteString("trace_id", trace);
        }
        if (error is not null)
        {
            writer.WriteString("exception", error.ToString());
        }
        writer.WriteEndObject();
        writer.Flush();
    }

    private static void WriteField(Utf8JsonWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNull(name);
                break;
            case string text:
                writer.WriteString(name, text);
                break;
            case int number:
                writer.WriteNumber(name, number);
                break;
            case long number:
                writer.WriteNumber(name, number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumber(name, number);
                break;
            case bool flag:
                writer.WriteBoolean(name, flag);
                break;
            default:
                writer.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteText(
        ArrayBufferWriter<byte> buffer, DateTimeOffset at, LogLevel level, string category, string message, Exception? error)
    {
        var shortCategory = category[(category.LastIndexOf('.') + 1)..];
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture, $"{at.UtcDateTime:HH:mm:ss.fff} {NameOf(level),-11} {shortCategory}: {message}"), buffer);
        if (RequestScope.Current is { } request)
        {
            Encoding.UTF8.GetBytes($"  [{request.Id}]", buffer);
        }
        if (error is not null)
        {
            Encoding.UTF8.GetBytes($"\n{error}", buffer);
        }
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "information",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        LogLevel.Critical => "critical",
        LogLevel.None => "none",
    };
}
