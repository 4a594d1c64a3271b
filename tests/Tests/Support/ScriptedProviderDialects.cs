using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <summary>The events of a stream: those that carry content, and those that say that it is complete.</summary>
internal sealed record ScriptedStream(IReadOnlyList<string> Content, IReadOnlyList<string> Ending);

/// <summary>One vendor's wire format.</summary>
internal abstract class ScriptedDialect
{
    /// <summary>By the route; the list of models is one route for both, told apart by the version header.</summary>
    internal static ScriptedDialect Of(HttpRequest request) =>
        request.Path.StartsWithSegments("/v1beta", StringComparison.Ordinal) ? new ScriptedGemini()
        : request.Path.StartsWithSegments("/v1/messages", StringComparison.Ordinal)
        || (request.Path == "/v1/models" && request.Headers.ContainsKey("anthropic-version"))
            ? new ScriptedAnthropic(isRecent: request.Headers["anthropic-version"] != "2023-06-01")
        : request.Path == "/v1/responses" ? new ScriptedResponses()
        : new ScriptedOpenAi();

    internal virtual int WrongKeyStatus => 401;

    internal virtual bool TellsWaitInHeader => true;

    internal abstract bool IsAuthorized(HttpRequest request, string key);

    internal abstract void AddHeaders(IHeaderDictionary headers, int number);

    internal abstract JsonObject ModelList(IReadOnlyList<string> models);

    internal abstract JsonObject Error(int status, string message, TimeSpan? retryAfter = null);

    internal abstract JsonObject Body(ScriptedReply reply, JsonObject request);

    internal abstract ScriptedStream Stream(ScriptedReply reply, JsonObject request);

    /// <summary>Arguments arrive in fragments that respect nothing.</summary>
    private protected static IEnumerable<string> Fragments(string arguments) => arguments.Chunk(7).Select(part => new string(part));
}

internal sealed class ScriptedOpenAi : ScriptedDialect
{
    private const long Created = 1_700_000_000;

    internal override bool IsAuthorized(HttpRequest request, string key) => request.Headers.Authorization == $"Bearer {key}";

    internal override void AddHeaders(IHeaderDictionary headers, int number)
    {
        headers["x-request-id"] = $"req_scripted_{number}";
        headers["openai-version"] = "2020-10-01";
        headers["openai-processing-ms"] = "1";
    }

    internal override JsonObject ModelList(IReadOnlyList<string> models) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. models.Select(id => new JsonObject
        {
            ["id"] = id, ["object"] = "model", ["created"] = Created, ["owned_by"] = "scripted",
        })]),
    };

    internal override JsonObject Error(int status, string message, TimeSpan? retryAfter = null) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = message,
            ["type"] = status switch { 429 => "requests", >= 500 => "server_error", _ => "invalid_request_error" },
            ["param"] = null,
            ["code"] = status switch { 401 => "invalid_api_key", 404 => "model_not_found", 429 => "rate_limit_exceeded", _ => null },
        },
    };

    internal override JsonObject Body(ScriptedReply reply, JsonObject request)
    {
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = reply.Text,
            ["refusal"] = null,
            ["annotations"] = new JsonArray(),
        };
        if (reply.Calls.Count > 0)
        {
            message["tool_calls"] = new JsonArray([.. reply.Calls.Select(call => new JsonObject
            {
                ["id"] = call.Id,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
            })]);
        }
        return new()
        {
            ["id"] = $"chatcmpl-{reply.Number}",
            ["object"] = "chat.completion",
            ["created"] = Created,
            ["model"] = (string?)request["model"],
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["message"] = message,
                ["logprobs"] = null,
                ["finish_reason"] = FinishReason(reply),
            }),
            ["usage"] = Usage(reply.Usage),
            ["service_tier"] = "default",
            ["system_fingerprint"] = "fp_scripted",
        };
    }

    internal override ScriptedStream Stream(ScriptedReply reply, JsonObject request)
    {
        var withUsage = (bool?)(request["stream_options"] as JsonObject)?["include_usage"] ?? false;
        var deltas = new List<JsonObject> { new() { ["role"] = "assistant", ["content"] = "", ["refusal"] = null } };
        deltas.AddRange(reply.Pieces().Select(piece => new JsonObject { ["content"] = piece }));
        for (var index = 0; index < reply.Calls.Count; index++)
        {
            deltas.AddRange(CallDeltas(reply.Calls[index], index));
        }
        var ending = new List<string> { Chunk(new(), FinishReason(reply)) };
        if (withUsage)
        {
            var last = Envelope(new JsonArray());
            last["usage"] = Usage(reply.Usage);
            ending.Add(Event(last));
        }
        ending.Add("data: [DONE]\n\n");
        return new([.. deltas.Select(delta => Chunk(delta, finish: null))], ending);

        string Chunk(JsonObject delta, string? finish)
        {
            var chunk = Envelope(new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["delta"] = delta,
                ["logprobs"] = null,
                ["finish_reason"] = finish,
            }));
            if (withUsage)
            {
                chunk["usage"] = null;
            }
            return Event(chunk);
        }

        JsonObject Envelope(JsonArray choices) => new()
        {
            ["id"] = $"chatcmpl-{reply.Number}",
            ["object"] = "chat.completion.chunk",
            ["created"] = Created,
            ["model"] = (string?)request["model"],
            ["service_tier"] = "default",
            ["system_fingerprint"] = "fp_scripted",
            ["choices"] = choices,
        };
    }

    private static string Event(JsonObject chunk) => $"data: {chunk.ToJsonString(ScriptedJson.Format)}\n\n";

    private static string FinishReason(ScriptedReply reply) => reply.Calls.Count > 0 ? "tool_calls" : "stop";

    private static IEnumerable<JsonObject> CallDeltas(ScriptedCall call, int index)
    {
        yield return Delta(new() { ["name"] = call.Name, ["arguments"] = "" }, call.Id);
        foreach (var fragment in Fragments(call.Arguments))
        {
            yield return Delta(new() { ["arguments"] = fragment }, id: null);
        }

        JsonObject Delta(JsonObject function, string? id)
        {
            var part = new JsonObject { ["index"] = index, ["function"] = function };
            if (id is not null)
            {
                part["id"] = id;
                part["type"] = "function";
            }
            return new() { ["tool_calls"] = new JsonArray(part) };
        }
    }

    private static JsonObject Usage(ScriptedUsage usage) => new()
    {
        ["prompt_tokens"] = usage.Input,
        ["completion_tokens"] = usage.Output,
        ["total_tokens"] = usage.Input + usage.Output,
        ["prompt_tokens_details"] = new JsonObject
        {
            ["cached_tokens"] = usage.CacheRead,
            ["cache_write_tokens"] = usage.CacheWrite,
            ["audio_tokens"] = 0,
        },
        ["completion_tokens_details"] = new JsonObject
        {
            ["reasoning_tokens"] = usage.Reasoning,
            ["audio_tokens"] = 0,
            ["accepted_prediction_tokens"] = 0,
            ["rejected_prediction_tokens"] = 0,
        },
    };
}
