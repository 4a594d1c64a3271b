using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Stoa.Learning.Tutor;

/// <summary>
/// An answer on its way to the client: a line of JSON for each state of it, whole each time. The client parses each piece of the network as
/// it comes, so a line is written and flushed as one; as each repeats everything, there are at most twenty a second.
/// </summary>
internal sealed class AnswerLines(HttpContext context, AnswerForm form, TimeProvider time)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    // It is no page: what it says is read as JSON only.
    private static readonly JsonWriterOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Free text may be shown half; half a word of a list of words may not.
    private static readonly HashSet<string> Texts = ["analysis", "chain_of_thought", "feedback", "response"];

    private readonly ArrayBufferWriter<byte> come = new();
    private readonly ArrayBufferWriter<byte> line = new();
    private readonly Encoder encoder = Encoding.UTF8.GetEncoder();
    private byte[] last = [];
    private long lastAt;

    /// <summary>The client has a line: from here on a failure can only be told by breaking off.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Forgets what has come, for another try.</summary>
    public void Restart()
    {
        come.ResetWrittenCount();
        encoder.Reset();
    }

    public async ValueTask AddAsync(string text)
    {
        encoder.Convert(text, come, flush: false, out _, out _);
        if (HasStarted && time.GetElapsedTime(lastAt) < Pace)
        {
            return;
        }
        if (PartialJson.Read(come.WrittenSpan, out _, out var open) is { Count: > 0 } read)
        {
            if (open is not null && !Texts.Contains(open))
            {
                read.Remove(open);
            }
            await WriteAsync(form.Line(read));
        }
    }

    /// <summary>The last line as it is going to be; null when what came is not a whole answer.</summary>
    public JsonObject? Whole() =>
        PartialJson.Read(come.WrittenSpan, out var isWhole, out _) is { } read && isWhole
            && form.Line(read) is var made && form.IsComplete(made) ? made : null;

    public async ValueTask WriteAsync(JsonObject state)
    {
        line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(line, Format))
        {
            state.WriteTo(json);
        }
        line.Write("\n"u8);
        if (line.WrittenSpan.SequenceEqual(last))
        {
            return;
        }
        Start();
        last = line.WrittenSpan.ToArray();
        await context.Response.BodyWriter.WriteAsync(last, context.RequestAborted);
        lastAt = time.GetTimestamp();
    }

    private void Start()
    {
        if (HasStarted)
        {
            return;
        }
        HasStarted = true;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/x-ndjson";
        response.Headers.CacheControl = "no-cache";
        // A proxy that gathers lines, or hides that a stream was broken off, leaves the client waiting.
        response.Headers["x-accel-buffering"] = "no";
    }
}
