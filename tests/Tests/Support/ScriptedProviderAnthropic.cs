using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <param name="isRecent">The dialect of 2026-10-21, which always sends the later fields.</param>
internal sealed class ScriptedAnthropic(bool isRecent) : ScriptedDialect
{
    // The vendor takes either form; its own client sends a bearer token.
    internal override bool IsAuthorized(HttpRequest request, string key) =>
        request.Headers.ContainsKey("anthropic-version")
        && (request.Headers["x-api-key"] == key || request.Headers.Authorization == $"Bearer {key}");

    internal override void AddHeaders(IHeaderDictionary headers, int number)
    {
        headers["request-id"] = $"req_scripted_{number}";
        headers["anthropic-organization-id"] = "org_scripted";
    }

    internal override JsonObject ModelList(IReadOnlyList<string> models) => new()
    {
        ["data"] = new JsonArray([.. models.Select(id => new JsonObject
        {
            ["type"] = "model", ["id"] = id, ["display_name"] = id, ["created_at"] = "2026-01-01T00:00:00Z",
        })]),
        ["has_more"] = false,
        ["first_id"] = models.Count > 0 ? models[0] : null,
        ["last_id"] = models.Count > 0 ? models[^1] : null,
    };

    internal override JsonObject Error(int status, string message, TimeSpan? retryAfter = null) => new()
    {
        ["type"] = "error",
        ["error"] = new JsonObject
        {
            ["type"] = status switch
            {
                400 => "invalid_request_error",
                401 => "authentication_error",
                402 => "billing_error",
                403 => "permission_error",
                404 => "not_found_error",
                413 => "request_too_large",
                429 => "rate_limit_error",
                504 => "timeout_error",
                503 or 529 => "overloaded_error",
                _ => "api_error",
            },
            ["message"] = message,
        },
        ["request_id"] = "req_scripted",
    };

    internal override JsonObject Body(ScriptedReply reply, JsonObject request)
    {
        var message = Message(reply, request);
        var content = new JsonArray();
        if (!string.IsNullOrEmpty(reply.Text))
        {
            content.Add(new JsonObject { ["type"] = "text", ["text"] = reply.Text });
        }
        foreach (var call in reply.Calls)
        {
            content.Add(new JsonObject
            {
                ["type"] = "tool_use",
                ["id"] = IdOf(call),
                ["name"] = call.Name,
                ["input"] = JsonNode.Parse(call.Arguments),
            });
        }
        message["content"] = content;
        message["stop_reason"] = StopReason(reply);
        message["usage"] = Usage(reply.Usage, reply.Usage.Output);
        return message;
    }

    internal override ScriptedStream Stream(ScriptedReply reply, JsonObject request)
    {
        var start = Message(reply, request);
        start["content"] = new JsonArray();
        start["stop_reason"] = null;
        start["usage"] = Usage(reply.Usage, output: 1);
        var content = new List<string>
        {
            Event("message_start", new() { ["message"] = start }),
            Event("ping", []),
        };
        var index = 0;
        if (!string.IsNullOrEmpty(reply.Text))
        {
            content.AddRange(Block(
                index++,
                new() { ["type"] = "text", ["text"] = "" },
                reply.Pieces().Select(piece => new JsonObject { ["type"] = "text_delta", ["text"] = piece })));
        }
        foreach (var call in reply.Calls)
        {
            content.AddRange(Block(
                index++,
                new() { ["type"] = "tool_use", ["id"] = IdOf(call), ["name"] = call.Name, ["input"] = new JsonObject() },
                Fragments(call.Arguments).Prepend("")
                    .Select(part => new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = part })));
        }
        return new(content,
        [
            Event("message_delta", new()
            {
                ["delta"] = new JsonObject { ["stop_reason"] = StopReason(reply), ["stop_sequence"] = null },
                ["usage"] = new JsonObject { ["output_tokens"] = reply.Usage.Output },
            }),
            Event("message_stop", []),
        ]);
    }

    private static IEnumerable<string> Block(int index, JsonObject block, IEnumerable<JsonObject> deltas)
    {
        yield return Event("content_block_start", new() { ["index"] = index, ["content_block"] = block });
        foreach (var delta in deltas)
        {
            yield return Event("content_block_delta", new() { ["index"] = index, ["delta"] = delta });
        }
        yield return Event("content_block_stop", new() { ["index"] = index });
    }

    private static string Event(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        return $"event: {type}\ndata: {data.ToJsonString(ScriptedJson.Format)}\n\n";
    }

    private JsonObject Message(ScriptedReply reply, JsonObject request)
    {
        var message = new JsonObject
        {
            ["id"] = $"msg_{reply.Number}",
            ["type"] = "message",
            ["role"] = "assistant",
            ["model"] = (string?)request["model"],
            ["content"] = null,
            ["stop_reason"] = null,
            ["stop_sequence"] = null,
            ["usage"] = null,
        };
        foreach (var name in isRecent ? ["container", "diagnostics", "stop_details"] : Array.Empty<string>())
        {
            message[name] = null;
        }
        return message;
    }

    private static string IdOf(ScriptedCall call) => call.Id!.Replace("call_", "toolu_", StringComparison.Ordinal);

    private static string StopReason(ScriptedReply reply) => reply.Calls.Count > 0 ? "tool_use" : "end_turn";

    private JsonObject Usage(ScriptedUsage usage, long output)
    {
        var counts = new JsonObject
        {
            ["input_tokens"] = usage.Input - usage.CacheRead - usage.CacheWrite,
            ["cache_creation_input_tokens"] = usage.CacheWrite,
            ["cache_read_input_tokens"] = usage.CacheRead,
            ["output_tokens"] = output,
            ["service_tier"] = "standard",
        };
        if (isRecent)
        {
            counts["cache_creation"] = null;
            counts["inference_geo"] = null;
            counts["output_tokens_details"] = usage.Reasoning > 0 ? new JsonObject { ["thinking_tokens"] = usage.Reasoning } : null;
            counts["server_tool_use"] = null;
            counts["speed"] = null;
        }
        return counts;
    }
}
