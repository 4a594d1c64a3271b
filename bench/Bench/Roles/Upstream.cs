using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;

namespace Stoa.Bench.Roles;

/// <summary>
/// The provider that the proxies are measured before: bytes prepared once, in OpenAI's or Anthropic's wire format. The text
/// <c>paced</c> in the request (in the model name) makes a stream trickle, one event every 20 ms.
/// </summary>
internal static class Upstream
{
    internal const int ContentEvents = 50;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);
    private static readonly byte[] OpenAiBody = Encoding.UTF8.GetBytes(Wire.OpenAiBody());
    private static readonly byte[][] OpenAiEvents = [.. Wire.OpenAiEvents().Select(Encoding.UTF8.GetBytes)];
    private static readonly byte[] AnthropicBody = Encoding.UTF8.GetBytes(Wire.AnthropicBody());
    private static readonly byte[][] AnthropicEvents = [.. Wire.AnthropicEvents().Select(Encoding.UTF8.GetBytes)];

    internal static async Task RunAsync(Arguments arguments)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            server.Limits.MinRequestBodyDataRate = null;
            server.Listen(IPAddress.Loopback, arguments.Number("port", 0));
        });
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.RunAsync();
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync("ready", context.RequestAborted);
            return;
        }
        var (streams, paced) = await ReadAsync(context.Request.BodyReader, context.RequestAborted);
        var isAnthropic = context.Request.Path.StartsWithSegments("/v1/messages", StringComparison.Ordinal);
        var response = context.Response;
        if (!streams)
        {
            var body = isAnthropic ? AnthropicBody : OpenAiBody;
            response.ContentType = "application/json";
            response.Headers.ContentLength = body.Length;
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
            return;
        }
        response.ContentType = "text/event-stream";
        foreach (var bytes in isAnthropic ? AnthropicEvents : OpenAiEvents)
        {
            // Each event is flushed alone, as providers do, paced or not.
            await response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
            if (paced)
            {
                await Task.Delay(Pace, TimeProvider.System, context.RequestAborted);
            }
        }
    }

    private static async ValueTask<(bool Streams, bool Paced)> ReadAsync(PipeReader reader, CancellationToken ct)
    {
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            var found = read.Buffer.IsSingleSegment
                ? Look(read.Buffer.FirstSpan)
                : Look(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            reader.AdvanceTo(read.Buffer.End);
            return found;
        }
    }

    private static (bool Streams, bool Paced) Look(ReadOnlySpan<byte> body) =>
        (body.IndexOf("\"stream\":true"u8) >= 0, body.IndexOf("paced"u8) >= 0);
}

/// <summary>Answers of the size that real ones have: 1.2 KB whole, 13 KB as a stream of 54 events.</summary>
internal static class Wire
{
    private static readonly string Text = string.Concat(Enumerable.Repeat("Seven ships wait for the tide. ", 20));

    internal static string OpenAiBody() => $$$"""
        {"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"{{{Text}}}","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":150,"total_tokens":169,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench"}
        """;

    internal static IEnumerable<string> OpenAiEvents()
    {
        yield return Chunk(
            """[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]""", "null");
        for (var index = 0; index < Upstream.ContentEvents; index++)
        {
            yield return Chunk(
                Invariant($$"""[{"index":0,"delta":{"content":" word{{index}}"},"logprobs":null,"finish_reason":null}]"""), "null");
        }
        yield return Chunk("""[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]""", "null");
        yield return Chunk("[]", """{"prompt_tokens":19,"completion_tokens":50,"total_tokens":69}""");
        yield return "data: [DONE]\n\n";

        static string Chunk(string choices, string usage) =>
            $$"""data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":{{choices}},"usage":{{usage}}}""" + "\n\n";
    }

    internal static string AnthropicBody() => $$$"""
        {"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[{"type":"text","text":"{{{Text}}}"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":150,"service_tier":"standard"}}
        """;

    internal static IEnumerable<string> AnthropicEvents()
    {
        yield return Event("message_start",
            """"message":{"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}"""");
        yield return Event("content_block_start", """"index":0,"content_block":{"type":"text","text":""}"""");
        for (var index = 0; index < Upstream.ContentEvents; index++)
        {
            yield return Event("content_block_delta", Invariant($$""""index":0,"delta":{"type":"text_delta","text":" word{{index}}"}""""));
        }
        yield return Event("content_block_stop", "\"index\":0");
        yield return Event("message_delta", """"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":50}"""");
        yield return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

        static string Event(string type, string fields) => $"event: {type}\ndata: {{\"type\":\"{type}\",{fields}}}\n\n";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
