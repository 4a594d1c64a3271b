using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <summary>
/// Google's <c>generateContent</c>: the model and the wish for a stream are in the path, events end in CR LF, waits are in the body.
/// </summary>
internal sealed class ScriptedGemini : ScriptedDialect
{
    internal const string Root = "/v1beta/models/";

    internal override int WrongKeyStatus => 400;

    internal override bool TellsWaitInHeader => false;

    internal override bool IsAuthorized(HttpRequest request, string key) => request.Headers["x-goog-api-key"] == key;

    internal override void AddHeaders(IHeaderDictionary headers, int number) => headers["server-timing"] = "gfet4t7; dur=1";

    internal override JsonObject ModelList(IReadOnlyList<string> models) => new()
    {
        ["models"] = new JsonArray([.. models.Select(id => new JsonObject { ["name"] = $"models/{id}" })]),
    };

    internal override JsonObject Error(int status, string message, TimeSpan? retryAfter = null)
    {
        var details = new JsonArray();
        if (status == 400 && message.Contains("API key", StringComparison.Ordinal))
        {
            details.Add(new JsonObject { ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo",
                ["reason"] = "API_KEY_INVALID", ["domain"] = "googleapis.com" });
        }
        if (retryAfter is { } wait)
        {
            details.Add(new JsonObject
            {
                ["@type"] = "type.googleapis.com/google.rpc.RetryInfo",
                ["retryDelay"] = wait.TotalSeconds.ToString(CultureInfo.InvariantCulture) + "s",
            });
        }
        return new()
        {
            ["error"] = new JsonObject
            {
                ["code"] = status,
                ["message"] = status == 429 ? "You exceeded your current quota, please check your plan and billing details." : message,
                ["status"] = status switch
                {
                    400 => "INVALID_ARGUMENT",
                    403 => "PERMISSION_DENIED",
                    404 => "NOT_FOUND",
                    429 => "RESOURCE_EXHAUSTED",
                    503 => "UNAVAILABLE",
                    504 => "DEADLINE_EXCEEDED",
                    _ => "INTERNAL",
                },
                ["details"] = details,
            },
        };
    }

    internal override JsonObject Body(ScriptedReply reply, JsonObject request)
    {
        var parts = new JsonArray();
        if (!string.IsNullOrEmpty(reply.Text))
        {
            parts.Add(new JsonObject { ["text"] = reply.Text });
        }
        foreach (var part in CallParts(reply))
        {
            parts.Add(part);
        }
        return Response(reply, parts, reply.Usage.Output, isLast: true);
    }

    internal override ScriptedStream Stream(ScriptedReply reply, JsonObject request)
    {
        var content = reply.Pieces().Select(piece => new JsonObject { ["text"] = piece }).Concat(CallParts(reply));
        return new(
            [.. content.Select(part => Event(Response(reply, new JsonArray(part), output: 1, isLast: false)))],
            [Event(Response(reply, new JsonArray(new JsonObject { ["text"] = "" }), reply.Usage.Output, isLast: true))]);
    }

    /// <summary>Vectors for <c>:batchEmbedContents</c>.</summary>
    internal static JsonObject Embeddings(JsonObject body) => new()
    {
        ["embeddings"] = new JsonArray([.. body["requests"]!.AsArray().Select(each => new JsonObject
        {
            ["values"] = new JsonArray([.. ScriptedDelivery
                .Vector((string)each!["content"]!["parts"]![0]!["text"]!, (int?)each["outputDimensionality"] ?? 8)
                .Select(value => (JsonNode)value)]),
        })]),
    };

    // The signature stands on the first of several calls, as Gemini 3 does it.
    private static IEnumerable<JsonObject> CallParts(ScriptedReply reply) => reply.Calls.Select((call, index) =>
    {
        var part = new JsonObject
        {
            ["functionCall"] = new JsonObject { ["id"] = call.Id, ["name"] = call.Name, ["args"] = JsonNode.Parse(call.Arguments) },
        };
        if (index == 0)
        {
            part["thoughtSignature"] = $"c2lnbmF0dXJl{reply.Number}";
        }
        return part;
    });

    private static JsonObject Response(ScriptedReply reply, JsonArray parts, long output, bool isLast)
    {
        var candidate = new JsonObject { ["content"] = new JsonObject { ["parts"] = parts, ["role"] = "model" }, ["index"] = 0 };
        if (isLast)
        {
            candidate["finishReason"] = "STOP";
        }
        var usage = reply.Usage;
        return new()
        {
            ["candidates"] = new JsonArray(candidate),
            ["usageMetadata"] = new JsonObject
            {
                ["promptTokenCount"] = usage.Input,
                ["cachedContentTokenCount"] = usage.CacheRead,
                ["candidatesTokenCount"] = Math.Max(0, output - usage.Reasoning),
                ["thoughtsTokenCount"] = usage.Reasoning,
                ["totalTokenCount"] = usage.Input + output,
            },
            ["modelVersion"] = "scripted-gemini",
            ["responseId"] = $"gemini-{reply.Number}",
        };
    }

    private static string Event(JsonObject chunk) => $"data: {chunk.ToJsonString(ScriptedJson.Format)}\r\n\r\n";
}
