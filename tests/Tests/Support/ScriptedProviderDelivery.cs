using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <summary>Puts one answer on the wire: whole, in pieces, slowly, held back, or cut off.</summary>
internal sealed class ScriptedDelivery(HttpContext context, ScriptedRequest request, ScriptedDialect dialect)
{
    private const int DefaultDimensions = 8;

    private HttpResponse Response => context.Response;

    private CancellationToken Aborted => context.RequestAborted;

    internal async Task AnswerAsync(ScriptedAnswer answer, ScriptedReply reply, ScriptedDialect wire, JsonObject body)
    {
        if (answer.Late > TimeSpan.Zero)
        {
            await Task.Delay(answer.Late, TimeProvider.System, Aborted);
        }
        wire.AddHeaders(Response.Headers, reply.Number);
        if (answer.Status is { } status)
        {
            await ErrorAsync(status, "Scripted error.", answer);
        }
        else if (request.Streams)
        {
            await StreamAsync(answer, reply, wire.Stream(reply, body));
        }
        else
        {
            await BodyAsync(answer, reply, wire.Body(reply, body));
        }
    }

    internal Task JsonAsync(JsonObject body)
    {
        Response.ContentType = "application/json";
        return Response.WriteAsync(body.ToJsonString(ScriptedJson.Format), Aborted);
    }

    internal Task ErrorAsync(int status, string message, ScriptedAnswer? answer = null)
    {
        Response.StatusCode = status;
        Response.ContentType = "application/json";
        if (answer?.RetryAfter is { } wait && dialect.TellsWaitInHeader)
        {
            Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        return Response.WriteAsync(
            answer?.ErrorBody ?? dialect.Error(status, message, answer?.RetryAfter).ToJsonString(ScriptedJson.Format), Aborted);
    }

    /// <summary>Vectors that depend on the text alone, so that equal texts have equal vectors.</summary>
    internal Task EmbeddingsAsync(JsonObject body)
    {
        var inputs = body["input"] is JsonArray many ? many.Select(input => input!.ToString()).ToList() : [body["input"]!.ToString()];
        var dimensions = (int?)body["dimensions"] ?? DefaultDimensions;
        var asBase64 = (string?)body["encoding_format"] == "base64";
        var tokens = inputs.Sum(ScriptedUsage.CountWords);
        request.Reported = new(tokens, 0);
        return JsonAsync(new()
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. inputs.Select((input, index) => new JsonObject
            {
                ["object"] = "embedding", ["index"] = index, ["embedding"] = Encoded(Vector(input, dimensions), asBase64),
            })]),
            ["model"] = request.Model,
            ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
        });
    }

    internal static float[] Vector(string text, int dimensions) =>
        [.. Enumerable.Range(0, dimensions).Select(at => ((text.Length > 0 ? text[at % text.Length] : 0) + at) / 256f)];

    private static JsonNode Encoded(float[] vector, bool asBase64) => asBase64
        ? Convert.ToBase64String(MemoryMarshal.AsBytes(vector.AsSpan()))
        : new JsonArray([.. vector.Select(value => (JsonNode)value)]);

    private async Task BodyAsync(ScriptedAnswer answer, ScriptedReply reply, JsonObject body)
    {
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString(ScriptedJson.Format));
        Response.ContentType = "application/json";
        await HoldAsync(answer, sent: 0, everything: true);
        if (answer.IsGarbage)
        {
            await Response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), Aborted);
            return;
        }
        Response.ContentLength = bytes.Length;
        if (answer.CutAfterEvents is not null)
        {
            await WriteAsync(bytes.AsMemory(0, bytes.Length / 2), answer);
            await CutAsync();
            return;
        }
        request.Reported = reply.Usage;
        await WriteAsync(bytes, answer);
    }

    private async Task StreamAsync(ScriptedAnswer answer, ScriptedReply reply, ScriptedStream stream)
    {
        Response.ContentType = "text/event-stream; charset=utf-8";
        await Response.StartAsync(Aborted);
        var sent = 0;
        foreach (var (text, last) in Events(answer, stream))
        {
            await HoldAsync(answer, sent);
            if (sent == answer.CutAfterEvents)
            {
                await CutAsync();
                return;
            }
            if (last)
            {
                request.Reported = reply.Usage;
            }
            await WriteAsync(Encoding.UTF8.GetBytes(text), answer);
            if (answer.Pause > TimeSpan.Zero)
            {
                await Task.Delay(answer.Pause, TimeProvider.System, Aborted);
            }
            sent++;
        }
    }

    private static IEnumerable<(string Text, bool Last)> Events(ScriptedAnswer answer, ScriptedStream stream)
    {
        foreach (var text in answer.IsGarbage ? stream.Content.Take(2).Append("data: {\"choices\":[{\"del\n\n") : stream.Content)
        {
            yield return (text, false);
        }
        foreach (var text in answer is { Finishes: true, IsGarbage: false } ? stream.Ending : [])
        {
            yield return (text, true);
        }
    }

    private Task HoldAsync(ScriptedAnswer answer, int sent, bool everything = false)
    {
        if (answer.HeldAfterEvents is not { } held || (!everything && held != sent))
        {
            return Task.CompletedTask;
        }
        return answer.Release?.WaitAsync(Aborted) ?? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Aborted);
    }

    private async Task CutAsync()
    {
        // A reset discards what the caller has not read yet; what was sent is meant to arrive.
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Aborted);
        context.Abort();
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, ScriptedAnswer answer)
    {
        var size = answer.PieceBytes ?? Math.Max(bytes.Length, 1);
        for (var at = 0; at < bytes.Length; at += size)
        {
            await Response.Body.WriteAsync(bytes.Slice(at, Math.Min(size, bytes.Length - at)), Aborted);
            await Response.Body.FlushAsync(Aborted);
            if (answer is { PieceBytes: not null, Pause.Ticks: > 0 })
            {
                await Task.Delay(answer.Pause, TimeProvider.System, Aborted);
            }
        }
    }
}
