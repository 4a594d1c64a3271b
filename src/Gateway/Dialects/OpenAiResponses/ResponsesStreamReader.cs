using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>A provider's stream of response events.</summary>
internal sealed class ResponsesStreamReader(ChatRequest request) : IChatStreamReader
{
    private readonly Dictionary<string, string>? originals = ToolNames.Originals(request, ToolNames.OpenAiLimit);
    private readonly Dictionary<(int Output, int Content), Block> blocks = [];
    private long quarters;
    private bool hasRefusal;
    private bool ended;

    public void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        if (ended || data.IsEmpty || data.SequenceEqual("[DONE]"u8))
        {
            return;
        }
        try
        {
            var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = 128 });
            using var document = JsonDocument.ParseValue(ref reader);
            Apply(document.RootElement, data, events);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            Fail(ProviderRefusals.Unreadable("an event is not valid JSON"), events);
        }
    }

    public void End(List<ChatEvent> events)
    {
        if (!ended)
        {
            Fail(ProviderRefusals.ClosedEarly(), events);
        }
    }

    private void Apply(JsonElement step, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        switch (step.TextOf("type"))
        {
            case "response.created":
                var response = step.Member("response");
                events.Add(new ChatEvent.Start(
                    response.TextOf("id") ?? "", response.TextOf("model") is { Length: > 0 } model ? model : request.Model));
                break;
            case "response.output_item.added":
                Added(step, step.Member("item"), events);
                break;
            case "response.output_text.delta" when BlockOf(step, "content_index").Carry.Take(DeltaOf(step)) is { Length: > 0 } text:
                events.Add(new ChatEvent.TextDelta(BlockOf(step, "content_index").Index, text));
                break;
            case "response.output_text.annotation.added" when step.Member("annotation") is { ValueKind: JsonValueKind.Object } annotation:
                events.Add(new ChatEvent.Cited(BlockOf(step, "content_index").Index, Citation.Of(annotation)));
                break;
            case "response.refusal.delta":
                hasRefusal = true;
                events.Add(new ChatEvent.RefusalDelta(BlockOf(step, "content_index").Index, DeltaOf(step)));
                break;
            // All of an item's summaries and thoughts are one block.
            case "response.reasoning_summary_text.delta" or "response.reasoning_text.delta"
                when BlockOf(step, "").Carry.Take(DeltaOf(step)) is { Length: > 0 } thought:
                events.Add(new ChatEvent.ThinkDelta(BlockOf(step, "").Index, thought, Dialect.OpenAiResponses));
                break;
            case "response.function_call_arguments.delta" or "response.custom_tool_call_input.delta"
                when BlockOf(step, "").Carry.Take(DeltaOf(step)) is { Length: > 0 } fragment:
                BlockOf(step, "").HasText = true;
                events.Add(new ChatEvent.ToolArgs(BlockOf(step, "").Index, fragment));
                break;
            case "response.output_item.done":
                Done(step, step.Member("item"), events);
                break;
            case "response.completed" or "response.incomplete":
                Finish(step.Member("response"), events);
                break;
            case "response.failed":
                Fail(OpenAiErrors.Map(new(200), step.Member("response")), events);
                break;
            case "error":
                Fail(OpenAiErrors.Read(new(200), data.ToArray()), events);
                break;
        }
    }

    private void Added(JsonElement step, JsonElement item, List<ChatEvent> events)
    {
        if (item.TextOf("type") is "function_call" or "custom_tool_call")
        {
            var block = BlockOf(step, "");
            block.IsCall = true;
            var name = originals.Original(item.TextOf("name") ?? "");
            quarters += name.Length;
            events.Add(new ChatEvent.ToolStart(block.Index, item.TextOf("call_id") ?? ToolNames.MakeId(0, block.Index, name, ""), name));
        }
    }

    private void Done(JsonElement step, JsonElement item, List<ChatEvent> events)
    {
        var block = BlockOf(step, "");
        if (block.IsCall)
        {
            // Servers that do not stream arguments tell them here.
            if (!block.HasText && (item.TextOf("arguments") ?? item.TextOf("input")) is { Length: > 0 } arguments)
            {
                events.Add(new ChatEvent.ToolArgs(block.Index, arguments));
            }
            events.Add(new ChatEvent.ToolEnd(block.Index));
        }
        else if (item.TextOf("type") == "reasoning" && item.TextOf("encrypted_content") is { } data)
        {
            if (item.TextOf("id") is { } id)
            {
                events.Add(new ChatEvent.ThinkSignature(block.Index, id, Dialect.OpenAiResponses));
            }
            events.Add(new ChatEvent.ThinkRedacted(block.Index, data, Dialect.OpenAiResponses));
        }
    }

    private void Finish(JsonElement response, List<ChatEvent> events)
    {
        ended = true;
        var hasCalls = blocks.Values.Any(block => block.IsCall);
        events.Add(new ChatEvent.Finish(ResponsesAnswerReader.ReasonOf(response, hasCalls, hasRefusal)));
        events.Add(new ChatEvent.Usage(
            ResponsesAnswerReader.ReadUsage(response) ?? new(TokenEstimate.Of(request), (quarters + 3) / 4, Estimated: true)));
        events.Add(new ChatEvent.End());
    }

    private void Fail(Failure failure, List<ChatEvent> events)
    {
        ended = true;
        events.Add(new ChatEvent.Failed(failure));
        events.Add(new ChatEvent.End());
    }

    private string DeltaOf(JsonElement step)
    {
        var delta = step.TextOf("delta") ?? "";
        quarters += TokenEstimate.Quarters(delta);
        return delta;
    }

    private Block BlockOf(JsonElement step, string part)
    {
        var key = (Number(step, "output_index"), part.Length == 0 ? 0 : Number(step, part));
        if (!blocks.TryGetValue(key, out var block))
        {
            blocks[key] = block = new(blocks.Count);
        }
        return block;
    }

    private static int Number(JsonElement step, string name) =>
        step.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : 0;

    private sealed class Block(int index)
    {
        public StreamText Carry;

        public int Index => index;

        public bool IsCall { get; set; }

        public bool HasText { get; set; }
    }
}
