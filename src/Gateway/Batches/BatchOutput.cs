using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Batches;

/// <summary>Results as lines of JSON, in the words of either surface.</summary>
internal static class BatchOutput
{
    /// <summary>Writes while it reads, so that no output is ever whole in memory.</summary>
    public static Stream Open(IAsyncEnumerable<BatchResult> results, Action<BatchResult, IBufferWriter<byte>> write, CancellationToken ct)
    {
        var pipe = new Pipe();
        _ = FillAsync(pipe.Writer, results, write, ct);
        return pipe.Reader.AsStream();
    }

    public static void WriteSuccess(BatchResult result, IBufferWriter<byte> output)
    {
        var json = Begin(result, output);
        json.WriteStartObject("response");
        json.WriteNumber("status_code", result.Status ?? 0);
        json.WriteString("request_id", result.RequestId);
        json.WritePropertyName("body");
        json.WriteRawValue(result.Body.Span, skipInputValidation: true);
        json.WriteEndObject();
        json.WriteNull("error");
        End(json, output);
    }

    /// <param name="unanswered">What is said of lines that were not called any more.</param>
    public static void WriteError(BatchResult result, (string Code, string Message) unanswered, IBufferWriter<byte> output)
    {
        var (code, message) = result.Status is null ? unanswered : ErrorOf(result.Body);
        var json = Begin(result, output);
        json.WriteNull("response");
        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message);
        json.WriteEndObject();
        End(json, output);
    }

    /// <summary>A line of Anthropic's results.</summary>
    /// <param name="unanswered"><c>canceled</c> or <c>expired</c>.</param>
    public static void WriteMessage(BatchResult result, string unanswered, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("custom_id", result.CustomId);
        json.WriteStartObject("result");
        json.WriteString("type", result.Status is null ? unanswered : result.IsSuccess ? "succeeded" : "errored");
        if (result.Status is not null)
        {
            json.WritePropertyName(result.IsSuccess ? "message" : "error");
            json.WriteRawValue(result.Body.Span, skipInputValidation: true);
        }
        json.WriteEndObject();
        End(json, output);
    }

    /// <summary>What an error body says, in any of the dialects.</summary>
    public static (string Code, string Message) ErrorOf(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        var error = document.RootElement.Member("error");
        return (error.TextOf("code") ?? error.TextOf("type") ?? "server_error", error.TextOf("message") ?? "The request failed");
    }

    private static Utf8JsonWriter Begin(BatchResult result, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("id", result.RequestId is { } id
            ? $"batch_req_{id.Replace("-", "", StringComparison.Ordinal)}"
            : string.Create(CultureInfo.InvariantCulture, $"batch_req_{result.Number}"));
        json.WriteString("custom_id", result.CustomId);
        return json;
    }

    private static void End(Utf8JsonWriter json, IBufferWriter<byte> output)
    {
        json.WriteEndObject();
        JsonOutput.Close(json);
        output.Write("\n"u8);
    }

    private static async Task FillAsync(
        PipeWriter writer, IAsyncEnumerable<BatchResult> results, Action<BatchResult, IBufferWriter<byte>> write, CancellationToken ct)
    {
        try
        {
            await foreach (var result in results.WithCancellation(ct))
            {
                write(result, writer);
                if ((await writer.FlushAsync(ct)).IsCompleted)
                {
                    break;
                }
            }
            await writer.CompleteAsync();
        }
        catch (Exception thrown)
        {
            // Whoever reads is told.
            await writer.CompleteAsync(thrown);
        }
    }
}
