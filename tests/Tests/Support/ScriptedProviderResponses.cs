using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <summary>OpenAI's Responses API, with its events in their order.</summary>
internal sealed class ScriptedResponses : ScriptedDialect
{
    private const long Created = 1_700_000_000;

    private readonly ScriptedOpenAi openAi = new();

    internal override bool IsAuthorized(HttpRequest request, string key) => openAi.IsAuthorized(request, key);

    internal override void AddHeaders(IHeaderDictionary headers, int number) => openAi.AddHeaders(headers, number);

    internal override JsonObject ModelList(IReadOnlyList<string> models) => openAi.ModelList(models);

    internal override JsonObject Error(int status, string message, TimeSpan? retryAfter = null) =>
        openAi.Error(status, message, retryAfter);

    internal override JsonObject Body(ScriptedReply reply, JsonObject request)
    {
        var response = Response(reply, request, "completed", new JsonArray([.. Items(reply).Select(item => item.Whole)]));
        response["usage"] = Usage(reply.Usage);
        return response;
    }

    internal override ScriptedStream Stream(ScriptedReply reply, JsonObject request)
    {
        var number = 0;
        var content = new List<string>
        {
            Event("response.created", new() { ["response"] = Response(reply, request, "in_progress", new JsonArray()) }),
            Event("response.in_progress", new() { ["response"] = Response(reply, request, "in_progress", new JsonArray()) }),
        };
        var items = Items(reply);
        for (var index = 0; index < items.Count; index++)
        {
            var (item, id) = (items[index].Whole, items[index].Id);
            var open = item.DeepClone();
            open["status"] = "in_progress";
            if ((string?)item["type"] == "message")
            {
                open["content"] = new JsonArray();
                content.Add(Event("response.output_item.added", new() { ["output_index"] = index, ["item"] = open }));
                content.Add(Event("response.content_part.added", new()
                {
                    ["item_id"] = id, ["output_index"] = index, ["content_index"] = 0, ["part"] = Text(""),
                }));
                content.AddRange(reply.Pieces().Select(piece => Event("response.output_text.delta", new()
                {
                    ["item_id"] = id, ["output_index"] = index, ["content_index"] = 0, ["delta"] = piece, ["logprobs"] = new JsonArray(),
                })));
                content.Add(Event("response.output_text.done", new()
                {
                    ["item_id"] = id, ["output_index"] = index, ["content_index"] = 0,
                    ["text"] = reply.Text, ["logprobs"] = new JsonArray(),
                }));
            }
            else
            {
                open["arguments"] = "";
                content.Add(Event("response.output_item.added", new() { ["output_index"] = index, ["item"] = open }));
                content.AddRange(Fragments((string)item["arguments"]!).Select(piece => Event("response.function_call_arguments.delta", new()
                {
                    ["item_id"] = id, ["output_index"] = index, ["delta"] = piece,
                })));
                content.Add(Event("response.function_call_arguments.done", new()
                {
                    ["item_id"] = id, ["output_index"] = index, ["arguments"] = (string)item["arguments"]!,
                }));
            }
            content.Add(Event("response.output_item.done", new() { ["output_index"] = index, ["item"] = item.DeepClone() }));
        }
        return new(content, [Event("response.completed", new() { ["response"] = Body(reply, request) })]);

        string Event(string type, JsonObject fields)
        {
            fields.Insert(0, "type", type);
            fields.Insert(1, "sequence_number", number++);
            return $"event: {type}\ndata: {fields.ToJsonString(ScriptedJson.Format)}\n\n";
        }
    }

    private static List<(string Id, JsonObject Whole)> Items(ScriptedReply reply)
    {
        var items = new List<(string, JsonObject)>();
        if (reply.Text is not null)
        {
            items.Add(($"msg_{reply.Number}", new()
            {
                ["id"] = $"msg_{reply.Number}", ["type"] = "message", ["status"] = "completed", ["role"] = "assistant",
                ["content"] = new JsonArray(Text(reply.Text)),
            }));
        }
        items.AddRange(reply.Calls.Select((call, index) => ($"fc_{reply.Number}_{index}", new JsonObject
        {
            ["id"] = $"fc_{reply.Number}_{index}", ["type"] = "function_call", ["status"] = "completed", ["call_id"] = call.Id,
            ["name"] = call.Name, ["arguments"] = call.Arguments,
        })));
        return items;
    }

    private static JsonObject Text(string text) => new()
    {
        ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray(), ["logprobs"] = new JsonArray(),
    };

    private static JsonObject Response(ScriptedReply reply, JsonObject request, string status, JsonArray output) => new()
    {
        ["id"] = $"resp_scripted{reply.Number}",
        ["object"] = "response",
        ["created_at"] = Created,
        ["status"] = status,
        ["error"] = null,
        ["incomplete_details"] = null,
        ["instructions"] = request["instructions"]?.DeepClone(),
        ["model"] = (string?)request["model"],
        ["output"] = output,
        ["parallel_tool_calls"] = true,
        ["previous_response_id"] = (string?)request["previous_response_id"],
        ["store"] = (bool?)request["store"] ?? true,
        ["tool_choice"] = "auto",
        ["tools"] = request["tools"]?.DeepClone() ?? new JsonArray(),
        ["usage"] = null,
        ["metadata"] = new JsonObject(),
    };

    private static JsonObject Usage(ScriptedUsage usage) => new()
    {
        ["input_tokens"] = usage.Input,
        ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CacheRead },
        ["output_tokens"] = usage.Output,
        ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = usage.Reasoning },
        ["total_tokens"] = usage.Input + usage.Output,
    };
}
